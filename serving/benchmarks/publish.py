"""`python -m serving.benchmarks.publish`: keep a run's figures in the repository, and write the pages' blocks of them.

A test says whether the blocks are what the kept figures give.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from data.errors import ConfigError
from data.markdown import fill
from serving.benchmarks.headline import write_headline
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.picture import draw
from serving.process import ROOT

HERE = Path(__file__).parent
KEPT = HERE / "published.json"
BLOCK = "bench"
PAGES: Mapping[Path, Callable[[Mapping[str, Any]], str]] = {
    ROOT / "README.md": write_headline,
    HERE / "README.md": write_markdown,
}


def publish(
    run: Annotated[Path, typer.Argument(help="JSON that `make bench` wrote.")] = Path("runs/bench.json"),
    kept: Annotated[Path, typer.Option(help="Where the figures are kept; the picture goes beside them.")] = KEPT,
) -> None:
    """Take over a run: figures and picture into the repository, tables into the pages."""
    try:
        blob = run.read_text(encoding="utf-8")
        pages = {page: filled(page, json.loads(blob)) for page in PAGES}
    except (OSError, ValueError, ConfigError) as error:
        raise typer.BadParameter(str(error)) from None
    kept.write_text(blob, encoding="utf-8")
    kept.with_suffix(".svg").write_text(draw(json.loads(blob)), encoding="utf-8")
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    typer.echo(f"{kept}, {kept.with_suffix('.svg')}, {', '.join(map(str, pages))} written")


def filled(page: Path, found: Mapping[str, Any]) -> str:
    """The page with its block of a run."""
    return fill(page.read_text(encoding="utf-8"), BLOCK, PAGES[page](found).strip())


if __name__ == "__main__":
    typer.run(publish)

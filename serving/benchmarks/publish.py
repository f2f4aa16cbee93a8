"""`python -m serving.benchmarks.publish`: keep a run's figures in the repository, and write the README's block of them.

A test says whether the block is what the kept figures give.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from data.errors import ConfigError
from data.markdown import fill
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.picture import draw
from serving.process import ROOT

KEPT = Path(__file__).with_name("published.json")
BLOCK = "bench"


def publish(
    run: Annotated[Path, typer.Argument(help="JSON that `make bench` wrote.")] = Path("runs/bench.json"),
    readme: Annotated[Path, typer.Option(help="File with the block's two marks.")] = ROOT / "README.md",
    kept: Annotated[Path, typer.Option(help="Where the figures are kept; the picture goes beside them.")] = KEPT,
) -> None:
    """Take over a run: figures and picture into the repository, tables into the README."""
    try:
        blob = run.read_text(encoding="utf-8")
        text = fill(readme.read_text(encoding="utf-8"), BLOCK, write_markdown(json.loads(blob)).strip())
    except (OSError, ValueError, ConfigError) as error:
        raise typer.BadParameter(str(error)) from None
    kept.write_text(blob, encoding="utf-8")
    kept.with_suffix(".svg").write_text(draw(json.loads(blob)), encoding="utf-8")
    readme.write_text(text, encoding="utf-8")
    typer.echo(f"{kept}, {kept.with_suffix('.svg')} and {readme} written")


if __name__ == "__main__":
    typer.run(publish)

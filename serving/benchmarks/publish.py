"""`python -m serving.benchmarks.publish`: keep a run's figures in the repository, and write the pages' blocks of them.

One run is kept of a CPU with VNNI and one of a CPU without it. A test says whether the blocks are what they give.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from data.command_line import run_function
from data.errors import ConfigError
from data.markdown import fill
from serving.benchmarks.engines import NO_VNNI, VNNI
from serving.benchmarks.headline import write_headline
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.picture import draw
from serving.process import ROOT

HERE = Path(__file__).parent
Write = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Place:
    """Where a run goes: its figures (the picture beside them), and a block of each page."""

    kept: Path
    block: str
    pages: Mapping[Path, Write]

    def filled(self, page: Path, found: Mapping[str, Any]) -> str:
        """The page with its block of a run."""
        return fill(page.read_text(encoding="utf-8"), self.block, self.pages[page](found).strip())


PLACES: Mapping[str, Place] = {  # by what the run's int8 was computed with
    VNNI: Place(
        HERE / "published.json", "bench", {ROOT / "README.md": write_headline, HERE / "README.md": write_markdown}
    ),
    NO_VNNI: Place(HERE / "published-without-vnni.json", "bench-without-vnni", {HERE / "README.md": write_markdown}),
}


def publish(
    run: Annotated[Path, typer.Argument(help="JSON that `make bench` wrote.")] = Path("runs/bench.json"),
) -> None:
    """Take over a run: figures and picture into the repository, tables into the pages."""
    try:
        blob = run.read_text(encoding="utf-8")
        found = json.loads(blob)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{run}: {error}: run `make bench` first") from None
    place = find_place(found)
    pages = {page: place.filled(page, found) for page in place.pages}
    picture = place.kept.with_suffix(".svg")
    place.kept.write_text(blob, encoding="utf-8")
    picture.write_text(draw(found), encoding="utf-8")
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    typer.echo(f"{', '.join(map(str, [place.kept, picture, *pages]))} written")


def find_place(found: Mapping[str, Any]) -> Place:
    """The place of a run's kind of CPU; ConfigError for a run that does not tell it."""
    computed = found.get("machine", {}).get("engines", {}).get("int8")
    if computed not in PLACES:
        kinds = " or ".join(map(repr, PLACES))
        raise ConfigError(f"the run's int8 was computed with {computed!r}, not {kinds}: run `make bench` anew")
    return PLACES[computed]


if __name__ == "__main__":
    run_function(publish)

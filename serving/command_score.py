"""`yujing score IN OUT`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer


def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help=".csv, .jsonl, .jsonl.gz or .parquet")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Same kinds; .jsonl has the full results.")],
    text_column: Annotated[str, typer.Option(help="Column or field that holds the text.")] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(help="Column or field that holds the id.", show_default="id, else the row number"),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of IN, for example gb18030.")] = "utf-8",
    bundle: Annotated[Path | None, typer.Option(help="Folder of another bundle than the shipped one.")] = None,
    watch_words: Annotated[Path | None, typer.Option(help="File with a word to watch for on each line.")] = None,
) -> None:
    """Score a file. Every row comes back, in order; a row that cannot be scored carries its own error."""
    from serving.progress import score_progress
    from serving.rows import Columns
    from serving.score_files import score_file
    from serving.scoring import load_scorer
    from serving.settings import Settings

    settings, start = Settings.from_env(bundle=bundle, watch_words=watch_words), time.monotonic()
    columns = Columns(text_column, id_column)
    with score_progress(show=sys.stderr.isatty()) as progress:
        summary = score_file(lambda: load_scorer(settings), source, target, columns, encoding, progress)
    seconds = max(time.monotonic() - start, 1e-9)
    counts = f"read {summary.read} rows = {summary.scored} scored + {summary.failed} failed"
    typer.echo(f"{counts} in {seconds:.1f} s ({summary.read / seconds:.0f} rows/s) -> {target}")

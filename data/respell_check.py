"""Which spellings of some posts are read as other words: `python -m data.respell_check POSTS`, to edit the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from data.command_line import run_function
from data.respell import load_respelling
from data.row_files import read_rows
from data.simplify import in_simplified


def texts(path: Path) -> Iterator[str]:
    """The texts of a file of posts; rows that have none, or cannot be read, are passed over."""
    for _, row in read_rows(path, ("text",)):
        if isinstance(row, dict) and isinstance(text := row.get("text"), str):
            yield text


def command(
    path: Annotated[Path, typer.Argument(help="Posts as JSONL, CSV or Parquet, with a column `text`.")],
) -> None:
    """Count what is respelt: how often, the spelling, the word that is read."""
    table, seen, posts, changed = load_respelling(), Counter[tuple[str, str]](), 0, 0
    for text in map(in_simplified, texts(path)):
        found = [(text[start : start + len(word)], word) for start, word in table.found(text)]
        seen.update(found)
        posts, changed = posts + 1, changed + bool(found)
    for (spelling, word), times in seen.most_common():
        typer.echo(f"{times}\t{spelling}\t{word}")
    typer.echo(f"{seen.total()} places in {changed} of {posts} posts")


if __name__ == "__main__":
    run_function(command)

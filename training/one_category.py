"""A yes/no question out of the labelled posts: `python -m training.one_category food_health_safety runs/food`.

It writes taxonomy.toml and posts.jsonl; `yujing train text --set taxonomy=… --set posts=…` learns them as any others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from data.command_line import run_function
from data.errors import ConfigError
from data.records import Example
from data.taxonomy import Taxonomy, as_toml, load_taxonomy
from training.posts import load_posts
from training.text_config import POSTS


def only(taxonomy: Taxonomy, category: str) -> Taxonomy:
    """The table with one category beside "no crisis"; ConfigError for an unknown one, and for "no crisis" itself."""
    if category == taxonomy.none_id:
        raise ConfigError(f"{category} is what the other answer is: name one of {', '.join(taxonomy.ids[1:])}")
    wanted = taxonomy.categories[taxonomy.index(category)]
    return replace(taxonomy, categories=(taxonomy.categories[0], wanted))


def relabelled(rows: Iterable[Example], category: str, taxonomy: Taxonomy) -> list[Example]:
    """Every other category becomes "no crisis" of rank 0; second ones are dropped; without a category, no label."""

    def answer(row: Example) -> Example:
        if row.category == category:
            return replace(row, second=None)
        if row.category is None:
            return replace(row, severity=None, second=None)
        return replace(row, category=taxonomy.none_id, severity=0, second=None)

    return [answer(row) for row in rows]


def main(category: str, folder: Path, posts: tuple[str, ...] = POSTS) -> None:
    """Write both files into the folder; ConfigError, and nothing is written, for a category that cannot be asked."""
    taxonomy = load_taxonomy()
    table = as_toml(only(taxonomy, category))
    rows = relabelled(load_posts(posts, taxonomy, Console()), category, taxonomy)
    lines = (json.dumps(asdict(row), ensure_ascii=False, default=str) + "\n" for row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "taxonomy.toml").write_text(table, encoding="utf-8")
        (folder / "posts.jsonl").write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        where = error.filename or folder
        raise ConfigError(f"{where}: {error.strerror}: give a folder that can be made and written to") from None


def command(
    category: Annotated[str, typer.Argument(help="The category that is asked for, by its id.")],
    folder: Annotated[Path, typer.Argument(help="Where taxonomy.toml and posts.jsonl are written.")],
) -> None:
    """Make a yes/no question out of the labelled posts."""
    main(category, folder)


if __name__ == "__main__":
    run_function(command)

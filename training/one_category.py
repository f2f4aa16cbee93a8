"""A yes/no question out of the labelled posts: `python -m training.one_category food_health_safety runs/food`.

It writes taxonomy.toml and posts.jsonl; `yujing train text --set taxonomy=… --set posts=…` learns them as any others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from data.records import Example
from data.taxonomy import Taxonomy, load_taxonomy
from training.posts import load_posts
from training.text_config import POSTS


def only(taxonomy: Taxonomy, category: str) -> Taxonomy:
    """The table with one category beside "no crisis"; ConfigError for an unknown one."""
    wanted = taxonomy.categories[taxonomy.index(category)]
    return replace(taxonomy, categories=(taxonomy.categories[0], wanted))


def relabelled(rows: Iterable[Example], category: str, taxonomy: Taxonomy) -> list[Example]:
    """Every other category becomes "no crisis" of rank 0; second categories are dropped."""

    def answer(row: Example) -> Example:
        if row.category == category:
            return replace(row, second=None)
        return replace(row, category=taxonomy.none_id, severity=0, second=None)

    return [answer(row) for row in rows]


def as_toml(taxonomy: Taxonomy) -> str:
    """The table as `load_taxonomy` reads it; a JSON string is a TOML string too."""

    def table(name: str, record: Mapping[str, Any]) -> str:
        return f"[[{name}]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in record.items())

    parts = [table("category", asdict(row)) for row in taxonomy.categories]
    parts += [table("severity", asdict(row)) for row in taxonomy.severities]
    return f"version = {json.dumps(taxonomy.version)}\n\n" + "\n".join(parts)


def main(category: str, folder: Path, posts: tuple[str, ...] = POSTS) -> None:
    """Write both files into the folder."""
    taxonomy = load_taxonomy()
    rows = relabelled(load_posts(posts, taxonomy, Console()), category, taxonomy)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "taxonomy.toml").write_text(as_toml(only(taxonomy, category)), encoding="utf-8")
    lines = (json.dumps(asdict(row), ensure_ascii=False, default=str) + "\n" for row in rows)
    (folder / "posts.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

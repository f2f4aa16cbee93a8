"""Titles of the hot-search record as posts; a title's id is its hash, so labels need not repeat the record."""

from __future__ import annotations

import hashlib
from pathlib import Path

from data.hot_dates import first_seen
from data.records import Example

SOURCE = "hot"


def title_id(title: str) -> str:
    """`t` and 12 hexadecimal digits of the title's SHA-256."""
    return "t" + hashlib.sha256(title.encode()).hexdigest()[:12]


def title_posts(path: Path) -> list[Example]:
    """One unlabelled post per title; CorpusError as `first_seen`."""
    titles = (title.strip() for title in first_seen(path))
    return [Example(id=title_id(title), text=title, source=SOURCE) for title in titles if title]

"""When posts of the hot-search list were on it: such a post begins with its topic's title, and the list has times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from data.hot_record import read_record
from data.records import Example

COLUMNS = ("time", "title")
_TITLE_ENDS = re.compile(r"[。\n]")


def title_of(text: str) -> str:
    """What stands before the first full stop or line break."""
    return _TITLE_ENDS.split(text.strip(), maxsplit=1)[0].strip()


def first_seen(path: Path) -> dict[str, datetime]:
    """Title -> time (with zone) of the first snapshot that holds it; CorpusError as `read_record`."""
    table = read_record(path, COLUMNS)
    first = table.filter(pc.is_valid(table["title"])).group_by("title").aggregate([("time", "min")])
    return dict(zip(first["title"].to_pylist(), first["time_min"].to_pylist(), strict=True))


def dated(examples: Iterable[Example], seen: Mapping[str, datetime]) -> list[Example]:
    """Examples whose time is known: their own, else that of their title on the list; the others are left out."""
    found = []
    for example in examples:
        at = example.published_at or seen.get(title_of(example.text))
        if at is not None:
            found.append(replace(example, published_at=at))
    return found

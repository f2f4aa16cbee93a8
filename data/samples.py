"""Posts, volume series and request items written for Yujing: the samples for demo and tests, and posts that teach."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypeVar

from data.records import Example, Item, Series
from data.rim import parse

Record = TypeVar("Record", Example, Item, Series)

HERE = Path(__file__).parent
FOLDER = HERE / "samples"


def _read(kind: type[Record], name: str, folder: Path = FOLDER) -> tuple[Record, ...]:
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return tuple(parse(kind, json.loads(line)) for line in lines)


@cache
def sample_examples() -> tuple[Example, ...]:
    """Labelled posts over all categories and severities."""
    return _read(Example, "posts.jsonl")


@cache
def sample_series() -> tuple[Series, ...]:
    """Twelve hourly volume series: calm, bursts, decay, night lull, gaps and more."""
    return _read(Series, "volumes.jsonl")


@cache
def sample_items() -> tuple[Item, ...]:
    """The request items that the demo sends: text, text with volume, volume alone."""
    return _read(Item, "items.jsonl")


@cache
def authored_examples() -> tuple[Example, ...]:
    """Labelled posts for thin categories, hard negatives, severe cases: they teach and calibrate the int8 engine."""
    names = ("platform.jsonl", "negatives.jsonl", "severe.jsonl")
    return tuple(row for name in names for row in _read(Example, name, HERE / "authored"))

"""Posts, volume series and request items written for Yujing: the samples for demo and tests, and posts that teach."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypeVar

from data.records import Example, Item, Series
from data.rim import parse

Record = TypeVar("Record", Example, Item, Series)

FOLDER = Path(__file__).parent / "samples"


def _read(kind: type[Record], name: str) -> tuple[Record, ...]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
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

"""The records that travel between the rooms: what goes in (items) and what teaches (examples, series).

They are plain frozen dataclasses: cheap to build inside. At the rim (`data.rim`) pydantic reads the same annotations
and validates; BentoML reads them for the OpenAPI text. What comes out is in `data.results`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, TypeAdapter

MAX_TEXT = 5_000  # characters
MAX_POINTS = 168  # bins of a volume series: one week of hours
MAX_ITEMS = 256  # items of one request
UNREAD = "yours alone: no model reads it, and it changes no answer"
TEXT = (
    "the post. The BERT reads 256 tokens at once (in bundles with the default length): of a longer text about the "
    "first 250 and the last 80 characters, then up to six pieces, one of which decides where it is read as severe; "
    "what is milder there reaches only the n-gram reader and the signals"
)
HEAT = "heat on the hot-search list; 0 where you looked and it was not on the list, null where you did not look"
MAX_AMOUNT = 1e15  # posts, reads, heat; what is larger was mistyped, and sums and logarithms must hold it
YEARS = range(2, 9999)  # of a volume: other zones' hours of the years 1 and 9999 may have no date in Asia/Shanghai
ZONED = "give ISO 8601 with a zone, like 2026-03-15T12:00:00+08:00"

_STRICT = ConfigDict(extra="forbid")
_TIME = TypeAdapter(datetime)
_NUMBER = re.compile(r"\s*[+-]?[\d.]+\s*")


def _text(time: object) -> object:
    """Parquet files may hold texts without saying so."""
    return time.decode(errors="replace") if isinstance(time, bytes) else time


def _spelled_out(time: object) -> object:
    """Pydantic takes numbers, and texts that are numbers, for seconds since 1970: 20260315 would be in August 1970."""
    time = _text(time)
    if isinstance(time, int | float | Decimal) or (isinstance(time, str) and ":" not in time):
        raise ValueError(ZONED)
    time = _TIME.validate_python(time) if isinstance(time, str) else time
    if isinstance(time, datetime) and time.utcoffset() is None:
        raise ValueError(ZONED)
    return time


def _no_number(time: object) -> object:
    """As `_spelled_out`, of a post that teaches; a day without a clock time is one."""
    time = _text(time)
    number = isinstance(time, int | float | Decimal) or (isinstance(time, str) and _NUMBER.fullmatch(time) is not None)
    return _spelled_out(time) if number else time


Time = Annotated[AwareDatetime, BeforeValidator(_spelled_out)]


def _from_the_top(places: tuple[float | None, ...]) -> tuple[float | None, ...]:
    for i, place in enumerate(places):
        if place is not None and place < 1:
            raise ValueError(f"[{i}] is {place:g}: places begin at 1, the top; give null where it was not on the list")
    return places


Amount = Annotated[float, Field(ge=0, le=MAX_AMOUNT, allow_inf_nan=False)]
# fail_fast: else a fault is kept for each value of an array of any length; 400,000 took 1.1 s and 470 MB.
Points = Annotated[tuple[Amount | None, ...], Field(min_length=1, max_length=MAX_POINTS, fail_fast=True)]
Place = Annotated[Amount, Field(json_schema_extra={"minimum": 1})]
Places = Annotated[
    tuple[Place | None, ...],
    Field(
        min_length=1,
        max_length=MAX_POINTS,
        fail_fast=True,
        description="places on the list, 1 = top; null where it was not on it",
    ),
    AfterValidator(_from_the_top),
]


def _digits(name: object) -> object:
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


def _utf8(name: str) -> str:
    """Half an emoji, as JSON may write it, ends the writing of a report after the training; pydantic lets it pass."""
    name.encode()  # a UnicodeEncodeError is a ValueError
    return name


# Of a row that teaches; a column of numbers holds whole ones.
Name = Annotated[str, BeforeValidator(_digits), AfterValidator(_utf8)]
ARRAYS = ("counts", "negative", "authors", "heat", "rank", "reads", "discussions", "originals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A topic's volumes up to now; arrays run oldest to newest, one value per bin, null where nothing was measured."""

    __pydantic_config__ = _STRICT

    as_of: Annotated[Time, Field(description="end of the newest bin, ISO 8601 with zone")]
    interval_minutes: Annotated[int, Field(ge=1, le=1_440)] = 60
    counts: Points | None = None
    negative: Points | None = None
    authors: Points | None = None
    heat: Annotated[Points | None, Field(description=HEAT)] = None
    rank: Places | None = None
    reads: Points | None = None
    discussions: Points | None = None
    originals: Points | None = None
    alarm_threshold: Annotated[float, Field(gt=0, le=MAX_AMOUNT, allow_inf_nan=False)] | None = None
    influencer_share: Annotated[float, Field(ge=0, le=1, description=UNREAD)] | None = None
    n_platforms: Annotated[int, Field(ge=0, description=UNREAD)] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(array) for name in ARRAYS if (array := getattr(self, name)) is not None}
        if self.counts is None and self.heat is None:
            raise ValueError("a volume needs counts, or heat with alarm_threshold: give one of them")
        if self.counts is None and self.alarm_threshold is None:
            raise ValueError("heat without counts needs alarm_threshold, the heat at which you raise the alarm")
        if len(set(lengths.values())) > 1:
            raise ValueError(f"all arrays of a volume must have one length, got {lengths}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to score: a post, a topic's volume, or both."""

    __pydantic_config__ = _STRICT

    id: Annotated[str, Field(max_length=200, description="yours; comes back as it is")] | None = None
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description=TEXT)] | None = None
    published_at: Annotated[Time, Field(description=UNREAD)] | None = None
    platform: Annotated[str, Field(max_length=100, description=UNREAD)] | None = None
    volume: Volume | None = None
    explain: Annotated[bool, Field(description="also give word-level evidence; slower")] = False

    def __post_init__(self) -> None:
        if self.text is None and self.volume is None:
            raise ValueError("an item needs text, or volume, or both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A labelled post. A label that is None is masked in the loss."""

    id: Name
    text: Annotated[str, Field(min_length=1)]
    category: str | None = None
    severity: Annotated[int, Field(ge=0)] | None = None  # the loader knows the ranks (data.labels)
    second: str | None = None
    source: Name | None = None
    event: Name | None = None
    published_at: Annotated[datetime, BeforeValidator(_no_number)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A topic's whole recorded life, for training; bin i covers start + i·interval to start + (i+1)·interval."""

    topic_id: Name
    start: Time
    interval_minutes: Annotated[int, Field(ge=1, le=1_440)]
    counts: Annotated[tuple[Amount | None, ...], Field(min_length=1)]
    negative: tuple[Amount | None, ...] | None = None
    authors: tuple[Amount | None, ...] | None = None

"""What a risk policy table holds, and the checks that make it safe to use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated

from pydantic import ConfigDict, Field

UNKNOWN = "unknown"  # the matrix row of an item without text
RANKS = ("0", "1", "2", "3", "4")

_STRICT = ConfigDict(extra="forbid")
Rank = Annotated[int, Field(ge=0, le=4)]
Words = Annotated[str, Field(pattern=r"\S")]  # that can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A range of lifts, up to but without `below`; the last band has no upper end."""

    __pydantic_config__ = _STRICT

    id: str
    """What `lift_band` of an answer says."""
    name: str
    """Chinese name."""
    below: Annotated[float, Field(gt=0)] = math.inf
    """Upper end, not in it; the last band and the one for no volume have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A risk level: its colour, minutes to respond (None = no duty), who is told, what to do first."""

    __pydantic_config__ = _STRICT

    rank: Rank
    """0 to 4, its place in the list."""
    level: Words
    """Colour."""
    name: Words
    """Chinese name."""
    respond_within_minutes: Annotated[int, Field(gt=0)] | None = None
    """Minutes until somebody must have acted."""
    notify: tuple[str, ...]
    """Roles that are told."""
    first_steps: Annotated[tuple[Words, ...], Field(min_length=1)]
    """What to do first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRule:
    """Whom a signal adds, the least level with it and the severity that it contradicts (None = neither)."""

    __pydantic_config__ = _STRICT

    name: str
    """What reasons call it."""
    notify: tuple[str, ...] = ()
    """Roles that it adds."""
    raise_to: Rank | None = None
    """Rank of the least risk level with it."""
    review_below: Annotated[int, Field(ge=1, le=4)] | None = None
    """A text with it and a severity rank below this one needs review: it says more than the model saw."""

    def contradicts(self, rank: int | None) -> bool:
        """Whether it speaks against a severity rank; never against None, which says nothing."""
        return rank is not None and self.review_below is not None and rank < self.review_below


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTable:
    """A policy table; `matrix[row][column]` is a risk level, rows by severity, columns by lift band."""

    __pydantic_config__ = _STRICT

    version: str
    """The table's own."""
    roles: Annotated[tuple[str, ...], Field(min_length=1)]
    """All who can be told."""
    notify_from: Rank
    """Rank of the risk level from which on categories and signals add roles."""
    bands: Annotated[tuple[Band, ...], Field(min_length=2)]
    """Bands of lifts, in rising order; the first one means no volume."""
    matrix: Mapping[str, tuple[int, ...]]
    """Ranks of risk levels: a row for each severity rank and one, `unknown`, for no text; a column for each band."""
    levels: Annotated[tuple[Level, ...], Field(min_length=5, max_length=5)]
    """Risk levels, in rising order."""
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Roles that a category adds."""
    signals: Mapping[str, SignalRule] = field(default_factory=dict)
    """What a signal adds."""
    crossed: str | None = None
    """Id of the least band of a topic past its alarm line; null: that of its lift."""


def faults(policy: PolicyTable, categories: Sequence[str], signals: Sequence[str]) -> Iterator[str]:
    """What is wrong with a table, the first cause first; `categories` and `signals`: the ids that there are."""
    yield from _band_faults(policy.bands)
    if policy.crossed is not None:
        yield from _key_faults("crossed", [policy.crossed], [band.id for band in policy.bands])
    yield from _level_faults(policy.levels)
    yield from _key_faults("categories", policy.categories, categories)
    yield from _key_faults("signals", policy.signals, signals)
    yield from _role_faults(policy)
    yield from _matrix_faults(policy)


def _band_faults(bands: Sequence[Band]) -> Iterator[str]:
    if bands[0].below != math.inf:
        yield f"bands[0].below: {bands[0].below:g}: the first band is for no volume: put one without `below` before it"
    yield from _repeat_faults("bands: id", [band.id for band in bands])
    if any(left.below >= right.below for left, right in pairwise(bands[1:])) or bands[-1].below != math.inf:
        yield "bands: `below` must rise from the second band on, and the last band must have none"


def _level_faults(levels: Sequence[Level]) -> Iterator[str]:
    if [level.rank for level in levels] != [0, 1, 2, 3, 4]:
        yield "levels: ranks must be 0, 1, 2, 3, 4 in order"
    yield from _repeat_faults("levels: level", [level.level for level in levels])
    yield from _repeat_faults("levels: name", [level.name for level in levels])
    minutes = [math.inf if (limit := level.respond_within_minutes) is None else limit for level in levels]
    for level, (slower, faster) in zip(levels[1:], pairwise(minutes), strict=True):
        if faster > slower:
            place = f"levels[{level.rank}].respond_within_minutes"
            given = "missing" if faster == math.inf else faster
            yield f"{place}: {given}: must be at most {slower}, as in the level below"


def _repeat_faults(what: str, given: Sequence[str]) -> Iterator[str]:
    for one, times in Counter(given).items():
        if times > 1:
            yield f"{what} {one!r} comes twice: give each one of its own"


def _key_faults(table: str, given: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for key in given:
        if key not in known:
            yield f"{table}.{key}: there is no such id, so nobody would be told: use one of {', '.join(known)}"


def _role_faults(policy: PolicyTable) -> Iterator[str]:
    told = {f"levels[{level.rank}].notify": level.notify for level in policy.levels}
    told |= {f"categories.{name}": roles for name, roles in policy.categories.items()}
    told |= {f"signals.{name}.notify": rule.notify for name, rule in policy.signals.items()}
    for place, roles in told.items():
        for role in roles:
            if role not in policy.roles:
                yield f"{place}: unknown role {role!r}: add it to `roles` or use {', '.join(policy.roles)}"


def _matrix_faults(policy: PolicyTable) -> Iterator[str]:
    rows = (UNKNOWN, *RANKS)
    if set(policy.matrix) != set(rows):
        yield f"matrix: rows must be {', '.join(rows)}, got {', '.join(policy.matrix)}"
        return
    for row in rows:
        cells = policy.matrix[row]
        if len(cells) != len(policy.bands):
            yield f"matrix row {row}: {len(cells)} cells: give one for each of the {len(policy.bands)} bands"
            return
        above = policy.matrix[str(int(row) - 1)] if row in RANKS[1:] else (0,) * len(cells)
        for column, (cell, left, upper) in enumerate(zip(cells, (0, *cells), above, strict=False)):
            if not max(left, upper) <= cell <= 4:
                place = f"matrix cell severity {row} × {policy.bands[column].id}"
                yield f"{place}: {cell}: must lie in {max(left, upper)}-4, not below its left or upper cell"

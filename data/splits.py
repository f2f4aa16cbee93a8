"""Train, validation and test rows: by group (near-duplicates, events), by source or by time, never by row alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from data.duplicates import components
from data.errors import CorpusError
from data.records import Example

HeldOut = Mapping[str, Sequence[str]]  # ids of the `validation` and the `test` rows


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the three parts, ascending; a row in none of them was left out on purpose."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]

    def check(self, groups: Sequence[int]) -> Split:
        """Return itself; CorpusError if a part is empty, or if a row or group is in two parts."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        owner: dict[int, str] = {}
        for name, rows in parts.items():
            if not rows:
                raise CorpusError(
                    f"the {name} part is empty: the {len(groups)} rows make {len(set(groups))} group(s) of "
                    "near-duplicates or of one event, which stay together: give other rows or larger fractions"
                )
            for group in {groups[row] for row in rows}:
                if owner.setdefault(group, name) != name:
                    raise CorpusError(f"group {group} is in {owner[group]} and {name}: split by group, not by row")
        return self


def bind(examples: Sequence[Example], groups: Sequence[int]) -> list[int]:
    """Group id per row, where a shared near-duplicate group and a shared `event` both bind."""
    if len(examples) != len(groups):
        raise CorpusError(f"{len(examples)} examples but {len(groups)} groups: give one group id per example")
    left: list[int] = []
    right: list[int] = []
    first: dict[Hashable, int] = {}
    for row, (example, group) in enumerate(zip(examples, groups, strict=True)):
        keys = [("group", group)] + ([("event", example.event)] if example.event else [])
        left += [first.setdefault(key, row) for key in keys]
        right += [row] * len(keys)
    return components(left, right, len(groups))


def _members(rows: Iterable[int], groups: Sequence[int]) -> dict[int, list[int]]:
    members: dict[int, list[int]] = {}
    for row in rows:
        members.setdefault(groups[row], []).append(row)
    return members


def _allot(
    examples: Sequence[Example], rows: Sequence[int], groups: Sequence[int], shares: Sequence[float], seed: int
) -> list[tuple[int, ...]]:
    """Deal whole groups out, large ones first, each to the part that lacks most of the group's categories.

    Own code (after Sechidis et al. 2011): StratifiedGroupKFold cuts equal folds only and warns on rarer classes.
    """
    category = {row: examples[row].category or "" for row in rows}
    column = {name: position for position, name in enumerate(sorted(set(category.values())))}
    sizes = Counter(category.values())
    lacking = np.outer(shares, [sizes[name] for name in column])  # [parts, categories]
    members = list(_members(rows, groups).values())
    order = np.random.default_rng(seed).permutation(len(members))
    parts: list[list[int]] = [[] for _ in shares]
    for group in sorted((members[position] for position in order), key=len, reverse=True):
        held = np.bincount([column[category[row]] for row in group], minlength=len(column))
        part = int(np.argmax(lacking @ held + 1e-6 * lacking.sum(axis=1)))
        lacking[part] -= held
        parts[part] += group
    return [tuple(sorted(part)) for part in parts]


def grouped_split(
    examples: Sequence[Example], groups: Sequence[int], fractions: tuple[float, float, float], seed: int
) -> Split:
    """Split by (train, validation, test) fractions that sum to 1, stratified by category as far as groups allow."""
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise CorpusError(f"fractions {fractions}: give train, validation and test, all above 0, sum 1")
    bound = bind(examples, groups)
    return Split(*_allot(examples, range(len(examples)), bound, fractions, seed)).check(bound)


def _held_out(
    examples: Sequence[Example], test: Sequence[int], groups: Sequence[int], validation: float, seed: int
) -> Split:
    """Split whose test rows are given; rows tied to them are left out, the rest is dealt into train and validation."""
    if not 0 < validation < 1:
        raise CorpusError(f"validation {validation}: give a share above 0 and below 1")
    bound = bind(examples, groups)
    tied = {bound[row] for row in test}
    rest = [row for row in range(len(examples)) if bound[row] not in tied]
    parts = _allot(examples, rest, bound, (1 - validation, validation), seed)
    return Split(parts[0], parts[1], tuple(test)).check(bound)


def split_by_ids(examples: Sequence[Example], groups: Sequence[int], held_out: HeldOut) -> Split:
    """The split that held out these rows; rows that share a group with one of them are left out of the train part.

    Recomputed, it would be another one as soon as a version reads one post otherwise: with one group more, 1,193 of
    1,911 test rows had taught. CorpusError when an id is no row's.
    """
    row_of = {example.id: row for row, example in enumerate(examples)}
    ids = {name: held_out[name] for name in ("validation", "test")}
    if lost := [key for part in ids.values() for key in part if key not in row_of]:
        raise CorpusError(
            f"{len(lost)} posts that were held out are not there ({', '.join(lost[:3])}, …): give all of them"
        )
    validation, test = (tuple(sorted(row_of[key] for key in part)) for part in ids.values())
    tied = {groups[row] for row in (*validation, *test)}
    return Split(tuple(row for row in range(len(examples)) if groups[row] not in tied), validation, test)


def leave_source_out(
    examples: Sequence[Example], source: str, groups: Sequence[int], seed: int, validation: float = 0.1
) -> Split:
    """Test on every row of `source`; rows elsewhere that share a group with one of them are left out."""
    test = [row for row, example in enumerate(examples) if example.source == source]
    if not test:
        known = ", ".join(sorted({example.source for example in examples if example.source}))
        raise CorpusError(f"no row has source {source!r}: use one of {known or 'none (no row has a source)'}")
    return _held_out(examples, test, groups, validation, seed)


def split_by_time(
    examples: Sequence[Example], before: datetime, groups: Sequence[int], seed: int, validation: float = 0.1
) -> Split:
    """Train before `before`, test from then on; earlier rows that share a group with a later one are left out."""
    if before.tzinfo is None:
        raise CorpusError(f"before {before.isoformat()}: give a time with zone, such as +08:00")
    timeless = [
        example.id for example in examples if example.published_at is None or example.published_at.tzinfo is None
    ]
    if timeless:
        shown = ", ".join(timeless[:3])
        raise CorpusError(f"{len(timeless)} rows have no published_at with zone ({shown}, …): add it or drop the rows")
    test = [row for row, e in enumerate(examples) if e.published_at is not None and e.published_at >= before]
    return _held_out(examples, test, groups, validation, seed)

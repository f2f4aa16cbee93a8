"""Labelled posts and volume series from CSV, JSONL (also gzipped) and Parquet, with a report of the rows left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from data.columns import require_columns
from data.errors import InputError
from data.listed import listed
from data.normalise import normalise
from data.records import Example, Series
from data.rim import parse
from data.row_files import Row, read_rows
from data.taxonomy import Taxonomy, implied

Record = TypeVar("Record", Example, Series)
Fault = tuple[str, str] | None  # field and reason
Complete = Callable[[Row], Row]
SERIES = ("topic_id", "start", "interval_minutes", "counts")  # what every series has
OF_THE_POST = ("text", "source", "event", "published_at")  # what a label may leave out
MAX_CELL = 40  # characters of a cell that a report shows; the longest id of the taxonomy has 20


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: line (row for Parquet) counted from 1, the field, and why."""

    path: str
    line: int
    field: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.field}: {self.why}"


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Record]):
    """The rows that can be used, and the report of those that cannot: none vanishes."""

    rows: list[Record] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def _load(
    kind: type[Record],
    paths: Sequence[Path],
    required: Sequence[str],
    check: Callable[[Record], Fault],
    complete: Complete = dict,
) -> Loaded[Record]:
    known = {column.name for column in fields(kind)}
    loaded: Loaded[Record] = Loaded()
    for path in paths:
        rows = read_rows(path, known)  # says at once where there is no file
        require_columns(path, known, required)
        for number, row in rows:
            if isinstance(row, str):
                loaded.bad.append(BadRow(str(path), number, "row", row))
                continue
            try:
                record = _record(kind, complete(row), row)
            except InputError as error:
                place, _, why = str(error).partition(": ")
                loaded.bad.append(BadRow(str(path), number, place, why))
                continue
            if fault := check(record):
                loaded.bad.append(BadRow(str(path), number, *fault))
            else:
                loaded.rows.append(record)
    return loaded


def _record(kind: type[Record], row: Row, given: Row) -> Record:
    """The record of a completed row; InputError names what is lacking beside what was `given`, or what is faulty."""
    needed = (column.name for column in fields(kind) if column.default is MISSING)
    if lost := [name for name in needed if name not in row]:
        raise InputError(f"{', '.join(lost)}: required; the row has {listed([*given]) or 'no field'}")
    return parse(kind, {column.name: row[column.name] for column in fields(kind) if column.name in row})


def _short(value: str | None) -> str:
    """A cell in a report: its beginning only, for where columns are mixed up it is a post."""
    return repr(value if value is None or len(value) <= MAX_CELL else f"{value[:MAX_CELL]}…")


def _example_fault(taxonomy: Taxonomy, seen: set[str]) -> Callable[[Example], Fault]:
    allowed = {None, *taxonomy.ids}

    def fault(row: Example) -> Fault:
        for name, value in (("category", row.category), ("second", row.second)):
            if value not in allowed:
                return name, f"{_short(value)} is not in the taxonomy: use one of {', '.join(taxonomy.ids)}"
        if why := taxonomy.severity_fault(row.category, row.severity):
            return "severity", why
        if not normalise(row.text).text:
            return "text", "nothing is left after normalisation"
        if row.id in seen:
            return "id", f"{_short(row.id)} came before: ids must be unique"
        seen.add(row.id)
        return None

    return fault


def _with_text(posts: Mapping[str, Example]) -> Complete:
    """Gives a row that has no text that of the post with its id, and what binds or dates the post."""

    def complete(row: Row) -> Row:
        post = posts.get(str(row.get("id")))
        if post is None:
            return row
        told = {key: cell for key, cell in row.items() if cell is not None}
        return {name: getattr(post, name) for name in OF_THE_POST} | told

    return complete


def _with_implied(none_id: str) -> Complete:
    """Gives a row the label that its other one implies; in a CSV file a 0 is text."""

    def complete(row: Row) -> Row:
        rank = 0 if str(row.get("severity")) == "0" else row.get("severity")
        category, severity = implied(cast(Any, row.get("category")), cast(Any, rank), none_id)
        return {**row, "category": category, "severity": severity}

    return complete


def load_examples(
    paths: Sequence[Path], taxonomy: Taxonomy, posts: Mapping[str, Example] | None = None
) -> Loaded[Example]:
    """Labelled posts: id, text, and where known category, severity, second, source, event, published_at.

    A label that is not given is null, unless the other one implies it (none and rank 0).
    With `posts` (by id) a row may leave out OF_THE_POST: labels of a corpus that lies elsewhere.
    Other columns are ignored. CorpusError when a file is missing or of another kind; bad rows are only reported.
    """
    with_text, with_implied = _with_text(posts or {}), _with_implied(taxonomy.none_id)
    required = ("id", "text") if posts is None else ("id",)
    return _load(Example, paths, required, _example_fault(taxonomy, set()), lambda row: with_implied(with_text(row)))


def load_series(paths: Sequence[Path]) -> Loaded[Series]:
    """Volume series: topic_id, start (ISO 8601 with zone), interval_minutes, counts and optional arrays."""
    seen: set[str] = set()

    def fault(row: Series) -> Fault:
        if row.topic_id in seen:
            return "topic_id", f"{_short(row.topic_id)} came before: one series per topic"
        for name in ("negative", "authors"):
            array = getattr(row, name)
            if array is not None and len(array) != len(row.counts):
                return name, f"has {len(array)} values where counts has {len(row.counts)}"
        seen.add(row.topic_id)
        return None

    return _load(Series, paths, SERIES, fault)

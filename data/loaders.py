"""Labelled posts and volume series from CSV, JSONL (also gzipped) and Parquet, with a report of the rows left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Generic, TypeVar

from data.columns import require_columns
from data.errors import InputError
from data.labels import read_labels, short
from data.listed import listed
from data.normalise import normalise
from data.records import Example, Series
from data.rim import parse
from data.row_files import Row, read_rows
from data.taxonomy import Taxonomy

Record = TypeVar("Record", Example, Series)
Fault = tuple[str, str] | None  # field and reason
Complete = Callable[[Row], Row]
SERIES = ("topic_id", "start", "interval_minutes", "counts")  # what every series has
NEEDLESS = ("published_at",)  # a post teaches without it
OF_THE_POST = ("text", "source", "event", "published_at")  # what a label may leave out


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
    unread: list[BadRow] = field(default_factory=list)
    """Cells of rows that are used, which nothing needs and which cannot be read."""


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
                record, unread = _read(kind, complete(row), row)
            except InputError as error:
                place, _, why = str(error).partition(": ")
                loaded.bad.append(BadRow(str(path), number, place, why))
                continue
            if fault := check(record):
                loaded.bad.append(BadRow(str(path), number, *fault))
            else:
                loaded.rows.append(record)
                loaded.unread.extend([BadRow(str(path), number, *unread)] if unread else [])
    return loaded


def _read(kind: type[Record], row: Row, given: Row) -> tuple[Record, Fault]:
    """The record, and the fault of a NEEDLESS cell that it does without; InputError for any other fault."""
    try:
        return _record(kind, row, given), None
    except InputError as error:
        name, _, why = str(error).partition(": ")
        if name not in NEEDLESS:
            raise
    return _record(kind, {**row, name: None}, given), (name, f"{short(row[name])} is read as null: {why}")


def _record(kind: type[Record], row: Row, given: Row) -> Record:
    """The record of a completed row; InputError names what is lacking beside what was `given`, or what is faulty."""
    needed = (column.name for column in fields(kind) if column.default is MISSING)
    if lost := [name for name in needed if name not in row]:
        raise InputError(f"{', '.join(lost)}: required; the row has {listed([*given]) or 'no field'}")
    return parse(kind, {column.name: row[column.name] for column in fields(kind) if column.name in row})


def _example_fault(taxonomy: Taxonomy, seen: set[str]) -> Callable[[Example], Fault]:
    allowed = {None, *taxonomy.ids}

    def fault(row: Example) -> Fault:
        for name, value in (("category", row.category), ("second", row.second)):
            if value not in allowed:
                return name, f"{short(value)} is not in the taxonomy: use one of {', '.join(taxonomy.ids)}"
        if why := taxonomy.severity_fault(row.category, row.severity):
            return "severity", why
        if not normalise(row.text).text:
            return "text", "nothing is left after normalisation"
        if row.id in seen:
            return "id", f"{short(row.id)} came before: ids must be unique"
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


def load_examples(
    paths: Sequence[Path], taxonomy: Taxonomy, posts: Mapping[str, Example] | None = None
) -> Loaded[Example]:
    """Labelled posts: id, text, and where known category, severity, second, source, event, published_at.

    A label that is not given is null, unless the other one implies it (none and rank 0). Categories may be named, too.
    With `posts` (by id) a row may leave out OF_THE_POST: labels of a corpus that lies elsewhere.
    Other columns are ignored. CorpusError when a file is missing or of another kind; bad rows are only reported.
    """
    with_text = _with_text(posts or {})
    required = ("id", "text") if posts is None else ("id",)
    return _load(
        Example, paths, required, _example_fault(taxonomy, set()), lambda row: read_labels(with_text(row), taxonomy)
    )


def load_series(paths: Sequence[Path]) -> Loaded[Series]:
    """Volume series: topic_id, start (ISO 8601 with zone), interval_minutes, counts and optional arrays."""
    seen: set[str] = set()

    def fault(row: Series) -> Fault:
        if row.topic_id in seen:
            return "topic_id", f"{short(row.topic_id)} came before: one series per topic"
        for name in ("negative", "authors"):
            array = getattr(row, name)
            if array is not None and len(array) != len(row.counts):
                return name, f"has {len(array)} values where counts has {len(row.counts)}"
        seen.add(row.topic_id)
        return None

    return _load(Series, paths, SERIES, fault)

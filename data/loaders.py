"""Labelled posts and volume series from CSV, JSONL (also gzipped) and Parquet, with a report of the rows left out."""

from __future__ import annotations

import csv
import glob
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Generic, TypeVar

import datasets
import pyarrow as pa

from data.errors import CorpusError, InputError
from data.normalise import normalise
from data.records import Example, Series
from data.rim import parse
from data.taxonomy import Taxonomy

Record = TypeVar("Record", Example, Series)
Fault = tuple[str, str] | None  # field and reason
_UNDECODED = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of a byte that is not UTF-8
Row = Mapping[str, object]
Numbered = Iterator[tuple[int, "Row | str"]]  # line, and its fields or why it has none
Complete = Callable[[Row], Row]


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


def _lines(path: Path) -> Iterator[bytes]:
    """Lines as bytes, so that one undecodable line does not fail the file; `datasets` decodes gzip by itself."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            yield from file
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise CorpusError(f"{path} is no readable gzip file ({error}): make it again") from None


def _jsonl(path: Path) -> Numbered:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            yield number, f"byte {error.start} is not UTF-8: convert the file"
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
            yield number, f"not valid JSON: {error}"
        else:
            yield number, row if isinstance(row, dict) else "must be a JSON object"


def _csv(path: Path) -> Numbered:
    lines = (line.decode("utf-8-sig" if not i else "utf-8", "surrogateescape") for i, line in enumerate(_lines(path)))
    reader = csv.reader(lines, strict=True)  # else an unclosed quote swallows its neighbours unsaid
    header = next(reader, [])
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not valid CSV ({error}): look for an unclosed quote"
            continue
        if cells and len(cells) != len(header):
            yield reader.line_num, f"has {len(cells)} cells where the header has {len(header)}"
        elif any(map(_UNDECODED.search, cells)):
            yield reader.line_num, "is not UTF-8: convert the file"
        elif cells:
            yield reader.line_num, {key: cell for key, cell in zip(header, cells, strict=True) if cell != ""}


def _parquet(path: Path) -> Numbered:
    try:
        rows = datasets.load_dataset("parquet", data_files=glob.escape(str(path)), split="train", streaming=True)
        yield from enumerate(rows, 1)
    except pa.ArrowInvalid as error:
        raise CorpusError(f"{path} is no readable Parquet file: {error}") from None


READERS: dict[str, Callable[[Path], Numbered]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".jsonl.gz": _jsonl,
    ".parquet": _parquet,
}


def _read(path: Path) -> Numbered:
    reader = next((READERS[suffix] for suffix in READERS if path.name.endswith(suffix)), None)
    if reader is None:
        raise CorpusError(f"{path}: unknown kind of file: give one of {', '.join(READERS)}")
    if not path.is_file():
        raise CorpusError(f"{path}: no such file")
    return reader(path) if path.stat().st_size else iter(())


def _load(
    kind: type[Record], paths: Sequence[Path], check: Callable[[Record], Fault], complete: Complete = dict
) -> Loaded[Record]:
    known = {column.name for column in fields(kind)}
    loaded: Loaded[Record] = Loaded()
    for path in paths:
        for number, row in _read(path):
            if isinstance(row, str):
                loaded.bad.append(BadRow(str(path), number, "row", row))
                continue
            try:
                record = parse(kind, {key: value for key, value in complete(row).items() if key in known})
            except InputError as error:
                place, _, why = str(error).partition(": ")
                loaded.bad.append(BadRow(str(path), number, place, why))
                continue
            if fault := check(record):
                loaded.bad.append(BadRow(str(path), number, *fault))
            else:
                loaded.rows.append(record)
    return loaded


def _example_fault(taxonomy: Taxonomy, seen: set[str]) -> Callable[[Example], Fault]:
    allowed = {None, *taxonomy.ids}
    top = len(taxonomy.severities) - 1

    def fault(row: Example) -> Fault:
        for name, value in (("category", row.category), ("second", row.second)):
            if value not in allowed:
                return name, f"{value!r} is not in the taxonomy: use one of {', '.join(taxonomy.ids)}"
        if row.severity is not None and row.severity > top:
            return "severity", f"{row.severity} is above the highest rank, {top}"
        if None not in (row.category, row.severity) and (row.category == taxonomy.none_id) != (row.severity == 0):
            return "severity", f"{row.severity} with category {row.category}: {taxonomy.none_id} if and only if rank 0"
        if not normalise(row.text).text:
            return "text", "nothing is left after normalisation"
        if row.id in seen:
            return "id", f"{row.id!r} came before: ids must be unique"
        seen.add(row.id)
        return None

    return fault


def _with_text(posts: Mapping[str, Example]) -> Complete:
    """Gives a row that has no text that of the post with its id, and its source."""

    def complete(row: Row) -> Row:
        post = posts.get(str(row.get("id")))
        return row if post is None else {"text": post.text, "source": post.source, **row}

    return complete


def load_examples(
    paths: Sequence[Path], taxonomy: Taxonomy, posts: Mapping[str, Example] | None = None
) -> Loaded[Example]:
    """Labelled posts: id, text, and where known category, severity, second, source, event, published_at.

    With `posts` (by id) a row may leave out its text and source: labels of a corpus that lies elsewhere.
    Other columns are ignored. CorpusError when a file is missing or of another kind; bad rows are only reported.
    """
    return _load(Example, paths, _example_fault(taxonomy, set()), _with_text(posts or {}))


def load_series(paths: Sequence[Path]) -> Loaded[Series]:
    """Volume series: topic_id, start (ISO 8601 with zone), interval_minutes, counts and optional arrays."""
    seen: set[str] = set()

    def fault(row: Series) -> Fault:
        if row.topic_id in seen:
            return "topic_id", f"{row.topic_id!r} came before: one series per topic"
        seen.add(row.topic_id)
        for name in ("negative", "authors"):
            array = getattr(row, name)
            if array is not None and len(array) != len(row.counts):
                return name, f"has {len(array)} values where counts has {len(row.counts)}"
        return None

    return _load(Series, paths, fault)

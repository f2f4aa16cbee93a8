"""Rows of CSV, JSONL (also gzipped) and Parquet files: one that cannot be read says why and fails no other.

Only a quote that a CSV file never closes takes what comes after it along; the fault tells which lines.
"""

from __future__ import annotations

import csv
import glob
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from data.encoding import UNDECODABLE
from data.errors import CorpusError
from data.separator import find_separator, told
from data.text_files import CONVERT, Text, begins_with_nul, open_text

NO_UTF8 = f"is not UTF-8: {CONVERT}"
MAX_NAME = 40  # characters of a field's name in a report
ABSENT = (
    """give one that is there; --set 'posts=["mine.jsonl"]' takes another than one of the project's, """
    "and --set 'extra=[]' takes none"
)
BATCH = 1_000  # rows of Parquet that are in memory
Row = Mapping[str, object]
Numbered = Iterator[tuple[int, "Row | str"]]  # line, and its fields or why it has none


def _once_named(pairs: Sequence[tuple[str, object]]) -> Row:
    """A JSON object; ValueError where two fields have one name: the last one would count unsaid."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"field {names.most_common(1)[0][0][:MAX_NAME]!r} stands there more than once")
    return row


def _jsonl(path: Path, _: Collection[str]) -> Numbered:
    with open_text(path, newline="\n") as text:
        filled = ((number, line) for number, line in enumerate(text.lines, 1) if line.strip())
        for i, (number, line) in enumerate(filled):
            if not i and _opens_other_json(line.strip()):
                raise CorpusError(f"{path} is JSON over several lines, or a list: write one object a line")
            yield number, text.foreign if UNDECODABLE in line else _json_row(line)


def _opens_other_json(line: str) -> bool:
    """Whether a file that begins so is a list of objects, or an object that later lines go on with."""
    return line == "{" or (line[0] == "[" and line[1:].lstrip()[:1] in ("", "{"))


def _json_row(line: str) -> Row | str:
    try:
        row = json.loads(line, object_pairs_hook=_once_named)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
        return f"not valid JSON: {error}"
    return row if isinstance(row, dict) else "must be a JSON object"


def _once_each(path: Path, header: Sequence[str]) -> None:
    if again := [name for name, count in Counter(filter(None, header)).items() if count > 1]:
        raise CorpusError(f"{path}: the header names {again[0]!r} more than once: give each column its own name")


@dataclass(frozen=True, slots=True)
class _Table:
    """A CSV file from the first row on; `before`: lines that the reader was not given."""

    reader: Any
    header: list[str]
    before: int


def _table(path: Path, lines: Iterator[str], wanted: Collection[str]) -> _Table:
    before, first = 0, ""
    for first in lines:
        if first.strip():
            break
        before += 1  # blank lines may stand before the header
    if separator := told(first):
        before += 1
    else:
        separator, lines = find_separator(first, wanted), chain([first], lines)
    reader = csv.reader(lines, delimiter=separator, strict=True)  # else an unclosed quote swallows neighbours unsaid
    try:
        header = [name.strip() for name in next(filter(None, reader), [])]
    except csv.Error as error:
        raise CorpusError(f"{path}: the header line is not valid CSV ({error}): look for an unclosed quote") from None
    _once_each(path, header)
    return _Table(reader, header, before)


@contextmanager
def _opened_csv(path: Path, wanted: Collection[str]) -> Iterator[tuple[_Table, Text]]:
    if begins_with_nul(path):
        raise CorpusError(f"{path} {NO_UTF8}")
    with open_text(path, newline="") as text:
        yield _table(path, text.lines, wanted), text


def csv_header(path: Path, wanted: Collection[str]) -> list[str]:
    """Names of the columns; what separates them is what makes most `wanted` ones of them."""
    with _opened_csv(path, wanted) as (table, _):
        return table.header


def _csv(path: Path, wanted: Collection[str]) -> Numbered:
    with _opened_csv(path, wanted) as (table, text):
        yield from _csv_rows(table, text.foreign)


def _csv_rows(table: _Table, foreign: str) -> Numbered:
    while True:
        first = table.before + table.reader.line_num + 1
        try:
            cells = next(table.reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = table.before + table.reader.line_num
            taken = f" that takes lines {first}-{last}" if last > first else ""
            yield last, f"not valid CSV ({error}): look for an unclosed quote{taken}"
            continue
        last = table.before + table.reader.line_num
        if cells and len(cells) != len(table.header):
            yield last, f"has {len(cells)} cells where the header has {len(table.header)}"
        elif any(UNDECODABLE in cell for cell in cells):
            yield last, foreign
        elif cells:
            yield last, {key: cell for key, cell in zip(table.header, cells, strict=True) if cell != ""}


def _features(path: Path, columns: Sequence[pa.Field]) -> datasets.Features:
    if not columns:
        raise CorpusError(f"{path} has none of the columns that are read: give the columns the names they should have")
    features = datasets.Features()
    for column in columns:
        try:
            features |= datasets.Features.from_arrow_schema(pa.schema([column]))
        except ValueError:  # maps, UUIDs
            raise CorpusError(f"{path}: {column.name} is a {column.type}, which cannot be read: write text") from None
    return features


@contextmanager
def _readable_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, KeyError, UnicodeError) as error:
        why = " ".join(str(error).split())
        raise CorpusError(f"{path} is no readable Parquet file ({why}): make it again") from None


def parquet_schema(path: Path) -> pa.Schema:
    """The columns; their metadata may call one pictures, which would be opened."""
    with _readable_parquet(path):
        schema = pq.read_schema(path).remove_metadata()
    _once_each(path, schema.names)
    return schema


def _parquet(path: Path, wanted: Collection[str]) -> Numbered:
    schema = parquet_schema(path)
    with _readable_parquet(path):
        features = _features(path, [column for column in schema if column.name in wanted])
        columns = {"features": features, "columns": [*features], "data_files": glob.escape(str(path))}
        rows = datasets.load_dataset("parquet", split="train", streaming=True, batch_size=BATCH, **columns)
        tables = rows.with_format("arrow").iter(BATCH)
        yield from enumerate((_cells(table, i) for table in tables for i in range(len(table))), 1)


def _cells(batch: pa.Table, row: int) -> Row | str:
    """One row; only what its columns hold counts, never what the file's metadata say of them (pictures, sounds)."""
    try:
        return dict(zip(batch.column_names, (column[row].as_py() for column in batch.columns), strict=True))
    except UnicodeDecodeError:
        return NO_UTF8
    except (ValueError, OverflowError, KeyError, pa.ArrowException) as error:  # a year past 9999, an unknown zone
        return f"holds a cell that cannot be read ({' '.join(str(error).split())}): write it as text"


READERS: dict[str, Callable[[Path, Collection[str]], Numbered]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".jsonl.gz": _jsonl,
    ".parquet": _parquet,
}


def read_rows(path: Path, wanted: Collection[str]) -> Numbered:
    """The rows of one file with their lines, counted from 1 (rows for Parquet); CorpusError as its kind demands.

    They may hold more than the `wanted` fields; of Parquet no other column is read, so that none can fail a row.
    """
    reader = next((READERS[suffix] for suffix in READERS if path.name.endswith(suffix)), None)
    if reader is None:
        raise CorpusError(f"{path}: unknown kind of file: give one of {', '.join(READERS)}")
    if not path.is_file():
        raise CorpusError(f"{path}: no such file: {ABSENT}")
    return reader(path, wanted) if path.stat().st_size else iter(())

"""Rows of CSV, JSONL (also gzipped) and Parquet files: one that cannot be read says why and fails no other.

Only a quote that a CSV file never closes takes what comes after it along; the fault tells which lines.
"""

from __future__ import annotations

import csv
import glob
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import CorpusError

_UNDECODED = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of a byte that is not UTF-8
NO_UTF8 = "is not UTF-8: convert the file"
MAX_NAME = 40  # characters of a field's name in a report
ABSENT = (
    """give one that is there; --set 'posts=["mine.jsonl"]' takes another than one of the project's, """
    "and --set 'extra=[]' takes none"
)
BATCH = 1_000  # rows of Parquet that are in memory
Row = Mapping[str, object]
Numbered = Iterator[tuple[int, "Row | str"]]  # line, and its fields or why it has none


def _lines(path: Path) -> Iterator[bytes]:
    """Lines as bytes, so that one undecodable line does not fail the file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            yield from file
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise CorpusError(f"{path} is no readable gzip file ({error}): make it again") from None


def _once_named(pairs: Sequence[tuple[str, object]]) -> Row:
    """A JSON object; ValueError where two fields have one name: the last one would count unsaid."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"field {names.most_common(1)[0][0][:MAX_NAME]!r} stands there more than once")
    return row


def _jsonl(path: Path, _: Collection[str]) -> Numbered:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"), object_pairs_hook=_once_named)
        except UnicodeDecodeError as error:
            yield number, f"byte {error.start} is not UTF-8: convert the file"
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
            yield number, f"not valid JSON: {error}"
        else:
            yield number, row if isinstance(row, dict) else "must be a JSON object"


def _once_each(path: Path, header: Sequence[str]) -> None:
    if again := [name for name, count in Counter(filter(None, header)).items() if count > 1]:
        raise CorpusError(f"{path}: the header names {again[0]!r} more than once: give each column its own name")


def _decoded(path: Path) -> Iterator[str]:
    """Lines with undecodable bytes marked; CorpusError where the first has NUL bytes, as UTF-16 has."""
    for i, line in enumerate(_lines(path)):
        if not i and b"\0" in line:
            raise CorpusError(f"{path} {NO_UTF8}")
        yield line.decode("utf-8-sig" if not i else "utf-8", "surrogateescape")


def _csv(path: Path, _: Collection[str]) -> Numbered:
    reader = csv.reader(_decoded(path), strict=True)  # else an unclosed quote swallows its neighbours unsaid
    try:
        header = next(filter(None, reader), [])  # blank lines may stand before it, too
    except csv.Error as error:
        raise CorpusError(f"{path}: the header line is not valid CSV ({error}): look for an unclosed quote") from None
    _once_each(path, header)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            taken = f" that takes lines {first}-{reader.line_num}" if reader.line_num > first else ""
            yield reader.line_num, f"not valid CSV ({error}): look for an unclosed quote{taken}"
            continue
        if cells and len(cells) != len(header):
            yield reader.line_num, f"has {len(cells)} cells where the header has {len(header)}"
        elif any(map(_UNDECODED.search, cells)):
            yield reader.line_num, NO_UTF8
        elif cells:
            yield reader.line_num, {key: cell for key, cell in zip(header, cells, strict=True) if cell != ""}


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


def _parquet(path: Path, wanted: Collection[str]) -> Numbered:
    try:
        schema = pq.read_schema(path).remove_metadata()  # they may call a column pictures, which would be opened
        _once_each(path, schema.names)
        features = _features(path, [column for column in schema if column.name in wanted])
        columns = {"features": features, "columns": [*features], "data_files": glob.escape(str(path))}
        rows = datasets.load_dataset("parquet", split="train", streaming=True, batch_size=BATCH, **columns)
        tables = rows.with_format("arrow").iter(BATCH)
        yield from enumerate((_cells(table, i) for table in tables for i in range(len(table))), 1)
    except (pa.ArrowException, OSError, KeyError, UnicodeError) as error:
        why = " ".join(str(error).split())
        raise CorpusError(f"{path} is no readable Parquet file ({why}): make it again") from None


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

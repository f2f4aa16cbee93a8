"""Kinds of output: what is kept of a result, and how files are made of it."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic_core import from_json, to_json

from data.results import Result
from serving.batch.flat import SCHEMA, Cell, flatten
from serving.wire import write_result

GROUP_ROWS = 65_536  # of a Parquet row group, give or take a window: each costs 1 KB of footer, held until the end
GROUP_BYTES = 1 << 26  # so that rows with long ids do not fill the memory until there are that many
NO_ID = b'{"id":null'

Answer = tuple[bytes, bytes]  # JSON of the id, and the body: what a result says besides
Write = Callable[[Sequence[Answer]], None]


@dataclass(frozen=True)
class Kind:
    """`body` makes a result's bytes, without its id and without tabs or newlines; `open` begins a file."""

    body: Callable[[Result], bytes]
    open: Callable[[Path], AbstractContextManager[Write]]


def _full_body(result: Result) -> bytes:
    return write_result(replace(result, id=None)).removeprefix(NO_ID)


def _flat_body(result: Result) -> bytes:
    _, *cells = flatten(result).values()
    return to_json(cells)


def _line(answer: Answer) -> bytes:
    row_id, body = answer
    return b'{"id":' + row_id + body + b"\n"


def _flat(answer: Answer) -> list[Any]:
    row_id, body = answer
    return [from_json(row_id), *from_json(body)]


@contextmanager
def _jsonl(path: Path) -> Iterator[Write]:
    """One full result a line, the same JSON as the API's."""
    with path.open("wb") as file:
        yield lambda answers: file.writelines(map(_line, answers))


@contextmanager
def _jsonl_gz(path: Path) -> Iterator[Write]:
    """As `_jsonl`, gzipped; the same results make the same bytes (no name, no time inside)."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        packed = cast(BinaryIO, file)
        yield lambda answers: packed.writelines(map(_line, answers))


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    """Flat columns in UTF-8; null is an empty cell; lines end in CRLF (RFC 4180), so a lone CR is quoted."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SCHEMA.names)
        yield lambda answers: writer.writerows([*map(_lower, _flat(answer))] for answer in answers)


def _lower(cell: Cell) -> Cell:
    return str(cell).lower() if isinstance(cell, bool) else cell


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    """Flat columns with their types."""
    with path.open("wb") as file, pq.ParquetWriter(file, SCHEMA) as writer:  # pyarrow opens names in UTF-8 only
        groups = _RowGroups(writer)
        yield groups.add
        groups.flush()


class _RowGroups:
    """Gathers windows to row groups. Where one ends depends on the rows alone, so a kill does not show in the bytes."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._tables: list[pa.Table] = []

    def add(self, answers: Sequence[Answer]) -> None:
        """A window's answers; written once there are enough for a row group."""
        self._tables.append(_table(answers))
        rows, size = (sum(getattr(table, what) for table in self._tables) for what in ("num_rows", "nbytes"))
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if self._tables:
            self._writer.write_table(pa.concat_tables(self._tables))
            self._tables = []


def _table(answers: Sequence[Answer]) -> pa.Table:
    columns = zip(*map(_flat, answers), strict=True)
    return pa.table([pa.array(cells, field.type) for cells, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


KINDS = {
    ".csv": Kind(_flat_body, _csv),
    ".jsonl": Kind(_full_body, _jsonl),
    ".jsonl.gz": Kind(_full_body, _jsonl_gz),
    ".parquet": Kind(_flat_body, _parquet),
}

"""Writing results as CSV, JSONL (also gzipped) or Parquet, chunk by chunk."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from data.records import Result
from serving.flat import SCHEMA, Cell, flatten
from serving.wire import write_result

Write = Callable[[Sequence[Result]], None]


@contextmanager
def jsonl_sink(path: Path) -> Iterator[Write]:
    """One full result a line, the same JSON as the API's."""
    with path.open("wb") as file:
        yield lambda results: file.writelines(write_result(result) + b"\n" for result in results)


@contextmanager
def jsonl_gz_sink(path: Path) -> Iterator[Write]:
    """As `jsonl_sink`, gzipped; the same results make the same bytes (no name, no time inside)."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        packed = cast(BinaryIO, file)
        yield lambda results: packed.writelines(write_result(result) + b"\n" for result in results)


@contextmanager
def csv_sink(path: Path) -> Iterator[Write]:
    """Flat columns in UTF-8; null is an empty cell; lines end in CRLF (RFC 4180), so a lone CR is quoted."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SCHEMA.names)
        yield lambda results: writer.writerows(map(_cells, results))


def _cells(result: Result) -> list[Cell]:
    return [str(cell).lower() if isinstance(cell, bool) else cell for cell in flatten(result).values()]


@contextmanager
def parquet_sink(path: Path) -> Iterator[Write]:
    """Flat columns with their types."""
    with pq.ParquetWriter(path, SCHEMA) as writer:
        yield lambda results: writer.write_table(pa.Table.from_pylist([*map(flatten, results)], schema=SCHEMA))


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; it becomes `path` only if all went well: no half file is ever seen."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)

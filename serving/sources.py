"""Reading rows from CSV, JSONL (also gzipped) and Parquet as a stream: memory does not grow with the file."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError
from serving.rows import OTHER_ENCODING, UNDECODABLE, Columns, Row, bad_row, make_row
from serving.wire import read_json

MAX_LINE = 16 * 1024 * 1024  # characters of one JSONL line: a file that is not JSONL must not fill the memory
BATCH = 512  # Parquet rows decoded at a time


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to come, and how much of the file has been read (0-1) for the progress bar."""

    rows: Iterator[Row]
    done: Callable[[], float]


def _mark(error: UnicodeError) -> tuple[str, int]:
    return UNDECODABLE, cast(UnicodeDecodeError, error).end


@contextmanager
def _open_text(path: Path, encoding: str, newline: str) -> Iterator[tuple[TextIO, Callable[[], float]]]:
    """Open for reading with undecodable bytes marked, not fatal; also skips a UTF-8 byte order mark."""
    codecs.register_error("yujing.mark", _mark)
    encoding = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    size = max(path.stat().st_size, 1)
    with path.open("rb") as raw:
        unpacked = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        text = io.TextIOWrapper(cast(BinaryIO, unpacked), encoding, errors="yujing.mark", newline=newline)
        yield text, lambda: raw.tell() / size


@contextmanager
def csv_source(path: Path, columns: Columns, encoding: str) -> Iterator[Source]:
    """A header line names the columns; blank lines are skipped; a row of another width is a bad row."""
    with _open_text(path, encoding, newline="") as (text, done):
        reader = csv.reader(text)
        header = next(reader, [])
        _require(columns, header, path)
        yield Source(_csv_rows(reader, header, columns), done)


def _csv_rows(reader: Iterator[list[str]], header: Sequence[str], columns: Columns) -> Iterator[Row]:
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield bad_row(number, f"not valid CSV ({error}): look for an unclosed quote")
            continue
        if not cells:
            continue
        number += 1
        fields = dict(zip(header, cells, strict=False))
        raw = {key: fields[key] for key in (columns.text, columns.id or "id") if key in fields}
        if len(cells) != len(header):
            reason = f"has {len(cells)} cells where the header has {len(header)}: quote text that has commas"
            yield bad_row(number, reason, raw.get(columns.id or "id"))
        else:
            yield make_row(number, raw, columns)


@contextmanager
def jsonl_source(path: Path, columns: Columns, encoding: str) -> Iterator[Source]:
    """One JSON object a line, an item as in the API; blank lines are skipped."""
    with _open_text(path, encoding, newline="\n") as (text, done):
        yield Source(_jsonl_rows(text, columns, path), done)


def _jsonl_rows(text: TextIO, columns: Columns, path: Path) -> Iterator[Row]:
    number = 0
    try:
        for line in iter(lambda: text.readline(MAX_LINE), ""):
            if line.strip():
                number += 1
                yield _jsonl_row(number, line, columns)
    except (OSError, EOFError, zlib.error) as error:  # gzip says so when the file is cut or is no gzip file
        raise InputError(f"{path} cannot be unpacked after row {number}: {error}") from None


def _jsonl_row(number: int, line: str, columns: Columns) -> Row:
    if UNDECODABLE in line:
        return bad_row(number, OTHER_ENCODING)
    try:
        raw = read_json(line)
    except InputError as error:
        return bad_row(number, str(error))
    if not isinstance(raw, Mapping):
        return bad_row(number, 'must be a JSON object such as {"id": "1", "text": "…"}')
    if columns.text not in raw and "volume" not in raw:
        reason = f"has no field {columns.text!r}: it has {', '.join(raw)}"
        return bad_row(number, reason, raw.get(columns.id or "id"))
    return make_row(number, raw, columns)


@contextmanager
def parquet_source(path: Path, columns: Columns, encoding: str) -> Iterator[Source]:
    """The text and id columns of a Parquet file; `encoding` has no meaning here."""
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}") from None
    with file:
        names = file.schema_arrow.names
        _require(columns, names, path)
        wanted = [name for name in {columns.id or "id": 0, columns.text: 0} if name in names]
        total = max(file.metadata.num_rows, 1)
        read = [0]
        yield Source(_parquet_rows(file, wanted, columns, read), lambda: read[0] / total)


def _parquet_rows(file: pq.ParquetFile, wanted: list[str], columns: Columns, read: list[int]) -> Iterator[Row]:
    for batch in file.iter_batches(batch_size=BATCH, columns=wanted):
        for cells in zip(*(batch.column(name) for name in wanted), strict=True):
            read[0] += 1
            raw = {name: _python(cell) for name, cell in zip(wanted, cells, strict=True)}
            yield make_row(read[0], raw, columns)


def _python(cell: pa.Scalar) -> object:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return UNDECODABLE


def _require(columns: Columns, names: Sequence[str], path: Path) -> None:
    wanted = {"--text-column": columns.text} | ({"--id-column": columns.id} if columns.id else {})
    for flag, name in wanted.items():
        if name not in names:
            listed = ", ".join(names) or "none, the file is empty"
            raise InputError(f"{path} has no column {name!r}: give {flag}, one of: {listed}")

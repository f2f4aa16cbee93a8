"""Reading rows from CSV and JSONL (also gzipped) as a stream: memory does not grow with the file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, dropwhile
from typing import BinaryIO, TextIO, cast

from data.encoding import UNDECODABLE, check_encoding, decoded
from data.errors import InputError
from data.listed import listed
from data.separator import SEPARATORS, find_separator, told
from serving.batch.inputs import Input, unpacking
from serving.batch.lines import MAX_CSV_LINE, MAX_LINE, Line, Record, bounded_lines, csv_records
from serving.batch.rows import OTHER_ENCODING, Columns, Place, Row, bad_row, make_row
from serving.batch.source import Source, require
from serving.wire import read_json


@contextmanager
def _unpacked(file: Input) -> Iterator[tuple[BinaryIO, Callable[[], float]]]:
    with file.open() as raw:
        size = max(raw.seek(0, io.SEEK_END), 1)
        raw.seek(0)
        packed = file.suffix.endswith(".gz")
        yield cast(BinaryIO, gzip.GzipFile(fileobj=raw) if packed else raw), lambda: raw.tell() / size


@contextmanager
def _open_text(file: Input, encoding: str | None, newline: str) -> Iterator[tuple[TextIO, Callable[[], float]]]:
    """Open for reading with undecodable bytes marked, not fatal."""
    with unpacking(file.path):
        known = check_encoding(file.encoding if encoding is None else encoding)
        with _unpacked(file) as (raw, done):
            yield decoded(raw, known, newline), done


@contextmanager
def csv_source(file: Input, columns: Columns, encoding: str | None) -> Iterator[Source]:
    """A header line names the columns; blank lines are skipped; a row of another width is a bad row."""
    with _open_text(file, encoding, newline="") as (text, done):
        separator, lines = _separator(bounded_lines(text, MAX_CSV_LINE), columns)
        records = csv_records(lines, separator)
        header = next(_filled(records), Record(1, []))
        if header.fault:
            raise InputError(f"{file.path}: the header line is not valid CSV ({header.fault})")
        require(columns, header.cells, file)
        read = partial(_csv_row, header=header.cells, separator=separator, columns=columns, file=file)
        yield Source((read(*numbered) for numbered in enumerate(_filled(records), 1)), done)


def _separator(lines: Iterator[Line], columns: Columns) -> tuple[str, Iterator[Line]]:
    """What stands between cells, and the lines from the header on."""
    lines = dropwhile(lambda line: not line.text.strip(), lines)
    first = next(lines, None)
    if first is None:
        return ",", lines
    if found := told(first.text):
        return found, lines
    wanted = [columns.text, columns.id] if columns.id is not None else [columns.text]
    return find_separator(first.text, wanted), chain([first], lines)


def _filled(records: Iterator[Record]) -> Iterator[Record]:
    return (record for record in records if record.cells or record.fault)


def _csv_row(number: int, record: Record, header: Sequence[str], separator: str, columns: Columns, file: Input) -> Row:
    place, cells = Place(number, record.line, file.name, file.alone), record.cells
    if record.fault:
        return bad_row(place, f"not valid CSV ({record.fault}): look for an unclosed quote")
    fields = dict(zip(header, cells, strict=False))
    raw = {key: fields[key] for key in (columns.text, columns.id_name) if key in fields}
    row_id = raw.get(columns.id_name)
    if len(cells) != len(header):
        widths = f"has {len(cells)} cells where the header has {len(header)}"
        kept = row_id if _before_text(header, columns) else None
        return bad_row(place, f"{widths}: quote text that has {SEPARATORS[separator]}", kept)
    if any("\0" in cell for cell in raw.values()):
        return bad_row(place, "has NUL bytes: the file is damaged, or give --encoding, for example utf-16", row_id)
    return make_row(place, raw, columns)


def _before_text(header: Sequence[str], columns: Columns) -> bool:
    """Whether the id stands left of the text: right of it a separator in the text puts another cell in its place."""
    return columns.id_name in header and header.index(columns.id_name) < header.index(columns.text)


@contextmanager
def jsonl_source(file: Input, columns: Columns, encoding: str | None) -> Iterator[Source]:
    """One JSON object a line, an item as in the API; blank lines are skipped."""
    with _open_text(file, encoding, newline="\n") as (text, done):
        lines = (line for line in bounded_lines(text, MAX_LINE) if line.text.strip())
        yield Source((_jsonl_row(*numbered, columns, file) for numbered in enumerate(lines, 1)), done)


def _jsonl_row(number: int, line: Line, columns: Columns, file: Input) -> Row:
    place = Place(number, line.number, file.name, file.alone)
    if line.cut:
        return bad_row(place, f"the line has more than {MAX_LINE} characters: one JSON object a line is read")
    if UNDECODABLE in line.text:
        return bad_row(place, OTHER_ENCODING)
    try:
        raw = read_json(line.text)
    except InputError as error:
        return bad_row(place, str(error))
    if not isinstance(raw, Mapping):
        return bad_row(place, 'must be a JSON object such as {"id": "1", "text": "…"}')
    if name := _lacking(raw, columns):
        return bad_row(place, f"has no field {name!r}: it has {listed([*raw])}", raw.get(columns.id_name))
    return make_row(place, raw, columns)


def _lacking(raw: Mapping[str, object], columns: Columns) -> str | None:
    """A field that was asked for and is not there; an id that is there may be null, and its row gets a number."""
    if columns.text not in raw and "volume" not in raw:
        return columns.text
    return None if columns.id is None or columns.id in raw else columns.id

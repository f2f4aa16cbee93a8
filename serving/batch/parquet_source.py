"""Reading rows from Parquet as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from data.encoding import UNDECODABLE
from data.errors import InputError
from serving.batch.cells import plain
from serving.batch.inputs import BUFFER, Input
from serving.batch.rows import EXTRAS, Columns, Place, Row, Unreadable, make_row
from serving.batch.source import Source, require

BATCH = 512  # rows decoded at a time
KIND = 60  # characters of a type in a message: that of a struct names all its fields


@contextmanager
def parquet_source(file: Input, columns: Columns, encoding: str | None) -> Iterator[Source]:
    """The text and id columns of a Parquet file, and EXTRAS; `encoding` has no meaning here."""
    with file.open() as raw:
        try:  # a buffer, so that no whole row group is read at once
            table = pq.ParquetFile(raw, buffer_size=BUFFER, pre_buffer=False)
            names = table.schema_arrow.names
        except (pa.ArrowException, OSError, UnicodeError) as error:  # names of columns need not be UTF-8
            raise InputError(f"{file.path} is not a readable Parquet file: {error}") from None
        require(columns, names, file, EXTRAS)
        wanted = [name for name in dict.fromkeys((columns.id_name, columns.text, *EXTRAS)) if name in names]
        total, read = max(table.metadata.num_rows, 1), [0]
        yield Source(_rows(table, wanted, columns, file, read), lambda: read[0] / total)


def _rows(table: pq.ParquetFile, wanted: list[str], columns: Columns, file: Input, read: list[int]) -> Iterator[Row]:
    for batch in _columns(table, wanted, file):
        for cells in zip(*batch, strict=True):
            read[0] += 1
            raw = plain({name: _python(cell) for name, cell in zip(wanted, cells, strict=True)})
            yield make_row(Place(read[0], read[0], file.name, file.alone), raw, columns)


def _columns(table: pq.ParquetFile, wanted: list[str], file: Input) -> Iterator[list[pa.Array]]:
    """The wanted columns of some rows at a time; InputError at a damaged page, which is met only now."""
    try:
        for batch in table.iter_batches(batch_size=BATCH, columns=wanted):
            yield [batch.column(name) for name in wanted]
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"{file.path} is a damaged Parquet file: {error}: make it again") from None


def _python(cell: pa.Scalar) -> object:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return UNDECODABLE
    except (ValueError, OverflowError, KeyError, pa.ArrowException):  # a year past 9999, a zone that nobody knows
        return Unreadable(str(cell.type)[:KIND])

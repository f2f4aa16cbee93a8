"""The Parquet file of the hot-search record, checked where it enters: its columns, and times with a zone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import CorpusError

AMOUNTS = ("heat", "rank", "read", "discuss", "origin")
KINDS = {"title": pa.string(), "ads": pa.bool_(), **dict.fromkeys(AMOUNTS, pa.float64())}


def read_record(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of a record, `time` among them, in microseconds, the others of KINDS.

    CorpusError when the file is of another shape.
    """
    needed = ", ".join(columns)
    try:
        table = pq.read_table(path, columns=list(columns))
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file: give a Parquet file with the columns {needed}") from None
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{path}: {error}: give a Parquet file with the columns {needed}") from None
    if missing := [name for name in columns if name not in table.column_names]:
        raise CorpusError(f"{path} has no column {', '.join(missing)}: it needs {needed}")
    _check_zone(path, table.schema.field("time").type)
    if absent := table["time"].null_count:
        raise CorpusError(f"{path}: {absent} of {len(table)} rows have no time: give it, or leave them out")
    table = table.set_column(table.column_names.index("time"), "time", _times(path, table["time"]))
    for name in filter(KINDS.__contains__, columns):
        table = table.set_column(table.column_names.index(name), name, _known(path, name, table[name]))
    return table


def _check_zone(path: Path, kind: pa.DataType) -> None:
    try:
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            return
        told = str(kind)
    except UnicodeDecodeError:
        told = "in a zone whose name is not UTF-8"
    raise CorpusError(f"{path}: time is {told}: give timestamps with a zone")


def _times(path: Path, time: pa.ChunkedArray) -> pa.ChunkedArray:
    finer = pc.CastOptions(pa.timestamp("us", time.type.tz), allow_time_truncate=True)  # pandas writes nanoseconds
    try:
        time = pc.cast(time, options=finer)
        pc.min_max(time).as_py()
    except (pa.ArrowException, ValueError, OverflowError) as error:  # a year before 1, a zone that nobody knows
        raise CorpusError(f"{path}: time: {error}: give times of a known zone, of years from 1 to 9999") from None
    return time


def _known(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in its one kind: pandas writes categories, 0 and 1, no kind where all is missing, and nan for null."""
    try:
        column = pc.cast(column, KINDS[name])
        column.validate(full=True)
    except pa.ArrowException as error:
        raise CorpusError(f"{path}: {name}: {error}: give {KINDS[name]} values") from None
    return _finite(path, name, column) if name in AMOUNTS else column


def _finite(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """An alarm line over a week that holds one of these would be no number."""
    if infinite := pc.sum(pc.is_inf(column)).as_py():
        raise CorpusError(f"{path}: {name}: {infinite} values are infinite: give numbers, and null where none is known")
    return pc.if_else(pc.is_nan(column), None, column)

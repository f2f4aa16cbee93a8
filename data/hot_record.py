"""The Parquet file of the hot-search record, checked where it enters: its columns, and times with a zone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import CorpusError


def read_record(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of a record, `time` among them, in microseconds; CorpusError when the file is of another shape."""
    needed = ", ".join(columns)
    try:
        table = pq.read_table(path, columns=list(columns))
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file: give a Parquet file with the columns {needed}") from None
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{path}: {error}: give a Parquet file with the columns {needed}") from None
    if missing := [name for name in columns if name not in table.column_names]:
        raise CorpusError(f"{path} has no column {', '.join(missing)}: it needs {needed}")
    kind = table.schema.field("time").type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise CorpusError(f"{path}: time is {kind}: give timestamps with a zone")
    if absent := table["time"].null_count:
        raise CorpusError(f"{path}: {absent} of {len(table)} rows have no time: give it, or leave them out")
    finer = pc.CastOptions(pa.timestamp("us", kind.tz), allow_time_truncate=True)  # pandas writes nanoseconds
    try:
        time = pc.cast(table["time"], options=finer)
    except pa.ArrowException as error:
        raise CorpusError(f"{path}: time: {error}: give times that microseconds since 1970 can hold") from None
    return table.set_column(table.column_names.index("time"), "time", time)

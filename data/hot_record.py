"""The Parquet file of the hot-search record, checked where it enters: its columns, and times with a zone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import CorpusError


def read_record(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of a record, `time` among them; CorpusError when it is no Parquet file of that shape."""
    needed = ", ".join(columns)
    try:
        table = pq.read_table(path, columns=list(columns))
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{path}: {error}: give a Parquet file with the columns {needed}") from None
    if missing := [name for name in columns if name not in table.column_names]:
        raise CorpusError(f"{path} has no column {', '.join(missing)}: it needs {needed}")
    kind = table.schema.field("time").type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise CorpusError(f"{path}: time is {kind}: give timestamps with a zone")
    return table

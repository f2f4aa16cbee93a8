"""What columns a file has, and the error for one that lacks what every row needs."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import Path

from data.errors import CorpusError
from data.listed import listed
from data.row_files import csv_header, parquet_schema, read_rows

LOOKED_AT = 1_000  # rows of JSONL, which has no header


def column_names(path: Path, wanted: Collection[str]) -> list[str]:
    """Names in the header of a CSV file (its separator shows by the `wanted` ones) or in the schema of a Parquet file;
    of JSONL those of the first LOOKED_AT rows."""
    if path.suffix == ".csv":
        return csv_header(path, wanted)
    if path.suffix == ".parquet":
        return list(parquet_schema(path).names)
    rows = (row for _, row in islice(read_rows(path, wanted), LOOKED_AT) if not isinstance(row, str))
    return list(dict.fromkeys(name for row in rows for name in row))


def require_columns(path: Path, wanted: Collection[str], required: Collection[str]) -> None:
    """CorpusError where a file that names its columns once lacks a `required` one: every row would lack it."""
    if path.suffix not in (".csv", ".parquet") or not path.stat().st_size:
        return
    names = column_names(path, wanted)
    if lost := [name for name in required if name not in names]:
        raise CorpusError(
            f"{path} has no column {', '.join(lost)}: columns found: {listed(names) or 'none'}; rename them to "
            f"{', '.join(required)}"
        )

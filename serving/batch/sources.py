"""Which reader reads which kind of file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from serving.batch.inputs import Input
from serving.batch.parquet_source import parquet_source
from serving.batch.rows import Columns
from serving.batch.source import Source
from serving.batch.text_source import csv_source, jsonl_source

SOURCES: dict[str, Callable[[Input, Columns, str | None], AbstractContextManager[Source]]] = {
    ".csv": csv_source,
    ".jsonl": jsonl_source,
    ".jsonl.gz": jsonl_source,
    ".parquet": parquet_source,
}


def open_source(file: Input, columns: Columns, encoding: str | None) -> AbstractContextManager[Source]:
    """Open a file and check its columns; `encoding` None is found out. InputError: it cannot be used."""
    return SOURCES[file.suffix](file, columns, encoding)

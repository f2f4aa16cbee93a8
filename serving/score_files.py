"""`yujing score IN OUT`: score a file of items; every row comes back, scored or with its own error."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from data.errors import InputError
from data.records import Result
from serving.rows import Columns, Row, chunked
from serving.scoring import SupportsScore, score_aligned
from serving.sinks import Write, csv_sink, jsonl_gz_sink, jsonl_sink, parquet_sink, whole
from serving.sources import Source, csv_source, jsonl_source, parquet_source

CHUNK = 512  # rows scored at a time

SOURCES: dict[str, Callable[[Path, Columns, str], AbstractContextManager[Source]]] = {
    ".csv": csv_source,
    ".jsonl": jsonl_source,
    ".jsonl.gz": jsonl_source,
    ".parquet": parquet_source,
}
SINKS: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {
    ".csv": csv_sink,
    ".jsonl": jsonl_sink,
    ".jsonl.gz": jsonl_gz_sink,
    ".parquet": parquet_sink,
}

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the rows: read = scored + failed, always."""

    scored: int = 0
    failed: int = 0

    @property
    def read(self) -> int:
        return self.scored + self.failed

    def add(self, results: Sequence[Result]) -> Summary:
        failed = sum(result.error is not None for result in results)
        return Summary(self.scored + len(results) - failed, self.failed + failed)


def score_file(
    load: Callable[[], SupportsScore],
    source: Path,
    target: Path,
    columns: Columns | None = None,
    encoding: str = "utf-8",
    progress: Callable[[float, Summary], None] = lambda done, summary: None,
) -> Summary:
    """Score `source` into `target` in constant memory; `load` is called once the arguments are found good.

    `progress` gets the share of the file read (0-1) and the count so far. InputError: a file, suffix, column
    or encoding that cannot be used; then `target` is as it was before.
    """
    open_source, open_sink = _by_suffix(SOURCES, source), _by_suffix(SINKS, target)
    _check(source, target, encoding)
    summary = Summary()
    with open_source(source, columns or Columns(), encoding) as stream:
        scorer = load()
        with whole(target) as part, open_sink(part) as write:
            for chunk in chunked(stream.rows, CHUNK):
                results = score_rows(scorer, chunk)
                write(results)
                summary = summary.add(results)
                progress(stream.done(), summary)
    return summary


def score_rows(scorer: SupportsScore, rows: Sequence[Row]) -> list[Result]:
    """One result per row, in order; a bad row's result carries its error."""
    scored = iter(score_aligned(scorer, [row.item for row in rows if row.item is not None]))
    return [
        next(scored) if row.item is not None else Result(id=row.id, model=scorer.model_id, error=row.error)
        for row in rows
    ]


def _by_suffix(table: dict[str, Kind], path: Path) -> Kind:
    for suffix, value in table.items():
        if path.name.lower().endswith(suffix):
            return value
    raise InputError(f"{path}: unknown kind of file: use a name that ends in {', '.join(table)}")


def _check(source: Path, target: Path, encoding: str) -> None:
    if not source.is_file():
        raise InputError(f"{source}: no such file: give a file to read")
    if target.is_dir():
        raise InputError(f"{target} is a directory: give a file to write")
    if target.exists() and target.samefile(source):
        raise InputError(f"{target} is the input: give another file to write")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}: no such directory: make it first")
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise InputError(f"unknown encoding {encoding!r}: use utf-8 or gb18030, for example") from None

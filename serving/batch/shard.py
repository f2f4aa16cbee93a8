"""A shard: the answers of one window as bytes, one line a row, made by a worker and kept until all are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic_core import from_json, to_json

from data.results import ItemError, Result
from models.calibration import FIRST_STAGE
from serving.batch.rows import Row
from serving.batch.sinks import KINDS
from serving.scoring import SupportsScore, score_aligned


@dataclass(frozen=True, slots=True)
class Answered:
    """A row of a shard: where it stood, JSON of its id, its answer (empty: that of the same `key` before) and error.

    `settled`: the first stage answered it alone.
    """

    file: str
    line: int
    key: str
    id: bytes
    body: bytes
    error: bytes  # JSON of code and message; empty where the row was scored
    settled: bool = False


def make_shard(scorer: SupportsScore, rows: Sequence[Row], kind: str) -> bytes:
    """Score a window: all its items in one call, so that the engine can sort them by length."""
    results = score_rows(scorer, rows)
    return b"".join(_write(row, result, kind) for row, result in zip(rows, results, strict=True))


def score_rows(scorer: SupportsScore, rows: Sequence[Row]) -> list[Result | None]:
    """One result per row, in order: a bad row's carries its error, a repeat has none."""
    scored = iter(score_aligned(scorer, [row.item for row in rows if row.item is not None]))
    return [next(scored) if row.item is not None else _unscored(row, scorer.model_id) for row in rows]


def _unscored(row: Row, model_id: str) -> Result | None:
    return Result(id=row.id, model=model_id, error=row.error) if row.error else None


def _write(row: Row, result: Result | None, kind: str) -> bytes:
    error = result.error if result else None
    body = KINDS[kind].body(result) if result else b""
    head = [to_json(row.place.file), str(row.place.line).encode(), row.key.encode(), to_json(row.id)]
    settled = b"settled" if result and result.model.endswith(FIRST_STAGE) else b""
    return b"\t".join([*head, body, to_json(error) if error else b"", settled]) + b"\n"


def read_shard(blob: bytes) -> Iterator[Answered]:
    """The rows of a shard, in order. JSON has no raw tab and no raw newline, so splitting is safe."""
    for text in blob.split(b"\n")[:-1]:
        file, line, key, row_id, body, error, settled = text.split(b"\t")
        yield Answered(from_json(file), int(line), key.decode(), row_id, body, error, bool(settled))


def read_error(error: bytes) -> ItemError:
    """What `Answered.error` says."""
    return ItemError(**from_json(error))

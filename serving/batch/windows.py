"""Cutting the stream of rows into windows: the unit that one worker scores, sorted by length, and that is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from data.recent import Recent
from serving.batch.inputs import Input
from serving.batch.repeats import repeat_key
from serving.batch.rows import Columns, Row
from serving.batch.sources import open_source

ROWS = 1_024  # of a window: the engine's batches hold about 70 posts, so sorting by length leaves hardly any padding
CHARACTERS = 500_000  # of a window, so that long texts, or the ids of rows that failed, do not fill the memory


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of window `number` (from 0), in their order; `share` of the input that has been read by then (0-1)."""

    number: int
    rows: Sequence[Row]
    share: float


def read_rows(inputs: Sequence[Input], columns: Columns, encoding: str | None) -> Iterator[tuple[Row, float]]:
    """All rows of all files with the share of the input read so far."""
    for index, file in enumerate(inputs):
        with open_source(file, columns, encoding) as source:
            for row in source.rows:
                yield row, (index + source.done()) / len(inputs)


def cut_windows(rows: Iterable[tuple[Row, float]], size: int = ROWS) -> Iterator[Window]:
    """Windows in order. Where they are cut depends on the rows alone: neither on workers nor on an interruption."""
    number, window, characters, share = 0, list[Row](), 0, 0.0
    seen = Recent[bool]()
    for row, share in rows:
        window.append(_without_repeat(row, seen))
        characters += len((row.item.text if row.item else row.id) or "")
        if len(window) == size or characters >= CHARACTERS:
            yield Window(number, window, share)
            number, window, characters = number + 1, [], 0
    if window:
        yield Window(number, window, share)


def _without_repeat(row: Row, seen: Recent[bool]) -> Row:
    """The row with its key; without its item where the text was seen before."""
    key = repeat_key(row.item) if row.item else ""
    if not key:
        return row
    if seen.get(key):
        return replace(row, item=None, key=key)
    seen.put(key, True)
    return replace(row, key=key)

"""A row of a file on its way to the scorer: an item, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import TypeVar

from data.errors import InputError
from data.records import Item, ItemError
from data.rim import parse

FIELDS = frozenset(field.name for field in fields(Item))
UNDECODABLE = "\udcff"  # stands for bytes that are not text in the file's encoding
OTHER_ENCODING = "has bytes of another encoding: give --encoding, for example gb18030"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what. `id` None: use a column "id" where there is one, else the row's number."""

    text: str = "text"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Row `number` counts from 1; exactly one of `item` and `error` is set."""

    id: str
    item: Item | None = None
    error: ItemError | None = None


def bad_row(number: int, reason: str, row_id: object = None) -> Row:
    """A row that cannot be scored; the reason never repeats its text."""
    return Row(_echo(row_id, number), error=ItemError(InputError.code, f"row {number}: {reason}"))


def make_row(number: int, raw: Mapping[str, object], columns: Columns) -> Row:
    """Validate a row's fields as an item; unknown columns are ignored: files carry more than we read."""
    text, row_id = raw.get(columns.text), _echo(raw.get(columns.id or "id"), number)
    if isinstance(text, str) and UNDECODABLE in text:
        return bad_row(number, OTHER_ENCODING, row_id)
    known = {key: raw[key] for key in FIELDS & raw.keys()}
    try:
        return Row(row_id, item=parse(Item, {**known, "id": row_id, "text": text}))
    except InputError as error:
        return bad_row(number, str(error), row_id)


def _echo(row_id: object, number: int) -> str:
    """The id as given, a whole number as its digits; the row's number where there is no usable id."""
    if isinstance(row_id, int) and not isinstance(row_id, bool):
        return str(row_id)
    usable = isinstance(row_id, str) and row_id and not any("\ud800" <= char <= "\udfff" for char in row_id)
    return str(row_id) if usable else str(number)


def chunked(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut a stream into lists of `size`, the last one shorter."""
    stream = iter(rows)
    while chunk := list(islice(stream, size)):
        yield chunk

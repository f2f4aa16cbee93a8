"""A row of a file on its way to the scorer: an item, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from data.errors import InputError
from data.records import Item
from data.results import ItemError
from data.rim import parse

FIELDS = frozenset(field.name for field in fields(Item))
UNDECODABLE = "\udcff"  # stands for bytes that are not text in the file's encoding
OTHER_ENCODING = "has bytes of another encoding: give --encoding, for example gb18030"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what. `id` None: use a column "id" where there is one, else the row's number."""

    text: str = "text"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Row `number` of a file and the line on which it begins (Parquet: the row again), both from 1."""

    number: int
    line: int
    file: str = ""
    alone: bool = True  # the only file of the run

    @property
    def id(self) -> str:
        """Stands in for an id that the row does not have."""
        return str(self.number) if self.alone else f"{self.file}:{self.number}"


@dataclass(frozen=True, slots=True)
class Row:
    """`item` to score, or the `error` why there is none, or neither: a repeat of the text that has the same `key`."""

    place: Place
    id: str
    item: Item | None = None
    error: ItemError | None = None
    key: str = ""


def bad_row(place: Place, reason: str, row_id: object = None) -> Row:
    """A row that cannot be scored; the reason never repeats its text."""
    error = ItemError(InputError.code, f"row {place.number}: {reason}")
    return Row(place, _echo(row_id, place), error=error)


def make_row(place: Place, raw: Mapping[str, object], columns: Columns) -> Row:
    """Validate a row's fields as an item; unknown columns are ignored: files carry more than we read."""
    text, row_id = raw.get(columns.text), _echo(raw.get(columns.id or "id"), place)
    if isinstance(text, str) and UNDECODABLE in text:
        return bad_row(place, OTHER_ENCODING, row_id)
    known = {key: raw[key] for key in FIELDS & raw.keys()}
    try:
        return Row(place, row_id, item=parse(Item, {**known, "id": row_id, "text": text}))
    except InputError as error:
        return bad_row(place, str(error), row_id)


def _echo(row_id: object, place: Place) -> str:
    """The id as given, a whole number as its digits; the row's place where there is no usable id."""
    if isinstance(row_id, int) and not isinstance(row_id, bool):
        return str(row_id)
    usable = isinstance(row_id, str) and row_id and not any("\ud800" <= char <= "\udfff" for char in row_id)
    return str(row_id) if usable else place.id

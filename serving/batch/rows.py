"""A row of a file on its way to the scorer: an item, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard
from uuid import UUID

from data.encoding import UNDECODABLE
from data.errors import InputError
from data.records import Item
from data.results import ItemError
from data.rim import parse
from serving.wire import read_json

EXTRAS = ("volume", "explain")  # what a score depends on besides the text
OTHER_ENCODING = "has bytes of another encoding: give --encoding, for example gb18030"
EXACT = 2**53  # from here on a float may have lost the last digits of a whole number
MAX_BITS = 700  # of a whole number as id, about 210 digits: one of 4,301 digits cannot even be written


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a cell of the file's type `kind` that Python cannot hold, such as a day in the year 300,000."""

    kind: str


LIMITS = {
    float: " that is not a whole number below 2^53",
    Decimal: " that is not a whole number",
    int: " too long",
    Unreadable: " that cannot be read",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what. `id` None: use a column "id" where there is one, else the row's number."""

    text: str = "text"
    id: str | None = None

    @property
    def id_name(self) -> str:
        """The column of the ids; its name may be empty: so pandas writes that of its index."""
        return "id" if self.id is None else self.id


@dataclass(frozen=True, slots=True)
class Place:
    """Row `number` of a file and the line on which it begins (Parquet: the row again), both from 1."""

    number: int
    line: int
    file: str = ""
    alone: bool = True  # the only file of the run

    @property
    def id(self) -> str | None:
        """Stands in for an id that the row does not have; None where rows have no numbers that stay theirs (Spark)."""
        return str(self.number) if self.alone else f"{self.file}:{self.number}"


@dataclass(frozen=True, slots=True)
class Row:
    """`item` to score, or the `error` why there is none, or neither: a repeat of the text that has the same `key`."""

    place: Place
    id: str | None
    item: Item | None = None
    error: ItemError | None = None
    key: str = ""


def bad_row(place: Place, reason: str, row_id: object = None) -> Row:
    """A row that cannot be scored; the reason never repeats its text."""
    found = None
    with suppress(InputError):
        found = write_id(row_id)
    return Row(place, found or place.id, error=ItemError(InputError.code, f"row {place.number}: {reason}"))


def make_row(place: Place, raw: Mapping[str, object], columns: Columns) -> Row:
    """Validate a row's fields as an item; other columns are ignored: files carry more than a score depends on."""
    text = raw.get(columns.text)
    try:
        row_id = write_id(raw.get(columns.id_name))
    except InputError as error:
        return bad_row(place, str(error))
    if isinstance(text, str) and UNDECODABLE in text:
        return bad_row(place, OTHER_ENCODING, row_id)
    try:
        item = parse(Item, {**_extras(raw, columns), "id": row_id, "text": text})
        return Row(place, row_id or place.id, item=item)  # with a long path the place is longer than an id may be
    except InputError as error:
        return bad_row(place, str(error), row_id)


def _extras(raw: Mapping[str, object], columns: Columns) -> dict[str, object]:
    """EXTRAS that the row has beside text and id; a volume may also be written as JSON, as tables often hold it."""
    known = {name: raw[name] for name in EXTRAS if name in raw and name not in (columns.text, columns.id)}
    for name, value in known.items():
        if isinstance(value, Unreadable):
            raise InputError(f"{name} is a {value.kind}{LIMITS[Unreadable]}")
    if isinstance(volume := known.get("volume"), str):
        try:
            known["volume"] = read_json(volume) if volume.strip() else None  # tables of text write null so
        except InputError as error:
            raise InputError(f"volume: {error}") from None
    return known


def write_id(given: object) -> str | None:
    """An id as text: whole numbers as their digits; None for null, for NaN (null in a column of floats) and for "".

    InputError for any other kind: a row number in its place would look like an id, and join with a wrong record.
    """
    if given is None or (isinstance(given, float) and given != given):
        return None
    if isinstance(given, str):
        if any("\ud800" <= char <= "\udfff" for char in given):
            raise InputError(f"id {OTHER_ENCODING}")
        return given or None
    if isinstance(given, UUID):
        return str(given)
    if _is_whole(given):
        return str(int(given))
    kind = given.kind if isinstance(given, Unreadable) else type(given).__name__
    raise InputError(f"id is a {kind}{LIMITS.get(type(given), '')}: give a text or whole-number column")


def _is_whole(given: object) -> TypeGuard[int | float | Decimal]:
    """Whether all digits of a whole number are there."""
    if isinstance(given, float):
        return given.is_integer() and abs(given) < EXACT
    if isinstance(given, Decimal):
        return given.is_finite() and given == given.to_integral_value()
    return isinstance(given, int) and not isinstance(given, bool) and given.bit_length() <= MAX_BITS

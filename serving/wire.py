"""JSON in and out: one parser and one writer for HTTP and files, so their answers are the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import jiter
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from data.errors import InputError
from data.records import MAX_ITEMS, Item
from data.results import Result
from data.rim import explain, place

ROOM = "things to score; the whole body may have 2 MiB, unless the service is told otherwise"
Items = Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS, description=ROOM)]

Record = TypeVar("Record")

MAX_REASON = 300  # characters: a duplicate key may be as long as the body
MAX_FIELDS = 32  # of one object; a volume, the largest record, has 13
HALF = "half an emoji (a lone surrogate): send it whole or leave it out"
_SURROGATE = re.compile("[\ud800-\udfff]")

_RESULT = TypeAdapter(Result)
_RESULTS = TypeAdapter(list[Result])


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """The body of `POST /score`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    items: Items


_REQUEST = TypeAdapter(ScoreRequest)


def read_json(body: bytes | str) -> object:
    """Parse JSON; InputError says where it breaks: also at a duplicate key, a lone surrogate, 200 levels of depth.

    A lone surrogate is what `json.dumps` writes of a post that was cut in the middle of an emoji. NaN and
    Infinity are refused later, with their place.
    """
    try:
        blob = body if isinstance(body, bytes) else body.encode()
        return jiter.from_json(blob, catch_duplicate_keys=True)
    except ValueError as error:
        if "hex escape" in str(error) and (where := _half_an_emoji(body)):
            raise InputError(f"{where}: {HALF}") from None
        reason = "not UTF-8" if isinstance(error, UnicodeError) else str(error)[-MAX_REASON:]
        raise InputError(f"not valid JSON: {reason}") from None


def _half_an_emoji(body: bytes | str) -> str | None:
    """The first field of a record with a lone surrogate; none where that is not all that is wrong with the body."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for path, found in _objects(raw):
        for name, value in found.items():
            if _SURROGATE.search(f"{name}{value}" if isinstance(value, str) else name):
                return place([path, _SURROGATE.sub("…", name)]).removeprefix(".")
    return None


def read_record(adapter: TypeAdapter[Record], body: bytes) -> Record:
    """Parse and validate a body as the adapter's record; InputError names the faulty places and never repeats a text.

    Types are JSON's own: a number in a string is a fault here, though a CSV file may hold it.
    """
    _check_fields(read_json(body))
    try:
        return adapter.validate_json(body, strict=True)
    except ValidationError as error:
        raise InputError(explain(error)) from None


def read_request(body: bytes) -> list[Item]:
    """The items of a request to score, as `read_record` reads them."""
    return read_record(_REQUEST, body).items


def _check_fields(raw: object) -> None:
    """Refuse an object of a hundred thousand fields before pydantic keeps a fault for each."""
    for path, found in _objects(raw):
        if len(found) > MAX_FIELDS:
            raise InputError(f"{path or 'record'}: at most {MAX_FIELDS} fields, got {len(found)}: take some away")


def _objects(raw: object) -> Iterator[tuple[str, dict[str, object]]]:
    """The objects where records have some, each with its place: the body, its items, their volumes."""
    if not isinstance(raw, dict):
        return
    yield "", raw
    items = raw.get("items")
    for number, item in enumerate(items[:MAX_ITEMS] if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"items[{number}]", item
            if isinstance(volume := item.get("volume"), dict):
                yield f"items[{number}].volume", volume


def write_results(results: Sequence[Result]) -> bytes:
    """Results as a UTF-8 JSON list, in the order of the items."""
    return _RESULTS.dump_json(list(results))


def write_result(result: Result) -> bytes:
    """One result as one line of UTF-8 JSON, without the newline."""
    return _RESULT.dump_json(result)

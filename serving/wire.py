"""JSON in and out: one parser and one writer for HTTP and files, so their answers are the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic_core import from_json

from data.errors import InputError
from data.records import MAX_ITEMS, Item, Result
from data.rim import parse

Items = Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS)]

_RESULT = TypeAdapter(Result)
_RESULTS = TypeAdapter(list[Result])


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """The body of `POST /score`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    items: Items


def read_json(body: bytes | str) -> object:
    """Parse JSON; InputError says where it breaks. NaN and Infinity are refused later, with their place."""
    try:
        return from_json(body)
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}") from None


def read_request(body: bytes) -> list[Item]:
    """Parse and validate a request; InputError names every faulty place and never repeats a text."""
    return parse(ScoreRequest, read_json(body)).items


def write_results(results: Sequence[Result]) -> bytes:
    """Results as a UTF-8 JSON list, in the order of the items."""
    return _RESULTS.dump_json(list(results))


def write_result(result: Result) -> bytes:
    """One result as one line of UTF-8 JSON, without the newline."""
    return _RESULT.dump_json(result)

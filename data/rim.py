"""The rim: where a stranger's dictionaries become records, or a clear error that never repeats a post's text."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from data.errors import ConfigError, InputError

Record = TypeVar("Record")

MAX_FAULTS = 20  # a hostile body may hold a hundred thousand
MAX_NAME = 100  # characters


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def place(location: Sequence[str | int]) -> str:
    """Write a pydantic location as a path: ('items', 3, 'text') -> 'items[3].text'."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in location)
    return path.removeprefix(".")


def _short(step: str) -> str:
    """A field's name; an unknown one may be as long as the sender likes."""
    return step if len(step) <= MAX_NAME else f"{step[:MAX_NAME]}…"


def explain(error: ValidationError) -> str:
    """Say where and why, for the first MAX_FAULTS faults, without the offending text."""
    told = error.errors(include_url=False, include_context=False, include_input=False)
    found = [*told[:1], *(fault for before, fault in pairwise(told) if not _follows(fault, before))]
    faults = [f"{place(fault['loc']) or 'record'}: {fault['msg']}" for fault in found[:MAX_FAULTS]]
    more = len(found) - MAX_FAULTS
    return "; ".join([*faults, f"and {more} more"] if more > 0 else faults)


def _follows(fault: ErrorDetails, before: ErrorDetails) -> bool:
    """Whether a list is found too short only because it was left (fail_fast) at its first value, which is faulty."""
    return fault["type"] == "too_short" and before["loc"][:-1] == fault["loc"]


def parse(kind: type[Record], raw: object) -> Record:
    """Validate `raw` as a record of `kind`; InputError names each faulty place and the reason."""
    try:
        return _adapter(kind).validate_python(raw)  # type: ignore[no-any-return, arg-type]
    except ValidationError as error:
        raise InputError(explain(error)) from None


def read_table(kind: type[Record], path: Path, what: str) -> Record:
    """A TOML file as a record of `kind`; ConfigError says `what` it should be, and what is wrong with it."""
    try:
        return parse(kind, tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, RecursionError, InputError) as error:  # ValueError: not TOML, or not UTF-8
        raise ConfigError(f"{path}: {error}: give a readable {what}") from None

"""The rim: where a stranger's dictionaries become records, or a clear error that never repeats a post's text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from data.errors import InputError

Record = TypeVar("Record")


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def place(location: Sequence[str | int]) -> str:
    """Write a pydantic location as a path: ('items', 3, 'text') -> 'items[3].text'."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return path.removeprefix(".")


def explain(error: ValidationError) -> str:
    """Say where and why, for every fault, without the offending text."""
    faults = (f"{place(fault['loc']) or 'record'}: {fault['msg']}" for fault in error.errors(include_input=False))
    return "; ".join(faults)


def parse(kind: type[Record], raw: object) -> Record:
    """Validate `raw` as a record of `kind`; InputError names each faulty place and the reason."""
    try:
        return _adapter(kind).validate_python(raw)  # type: ignore[no-any-return, arg-type]
    except ValidationError as error:
        raise InputError(explain(error)) from None

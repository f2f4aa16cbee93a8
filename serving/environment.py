"""Settings that come as text, from variables and flags: an unusable one is told as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from data.errors import ConfigError

Record = TypeVar("Record")


def written(source: str, value: object, secret: bool = False) -> str:
    """A setting as who gave it knows it: its flag or variable, and the value unless that is secret."""
    return source if secret else f"{source} is {str(value)!r}"


def checked(kind: type[Record], given: Mapping[str, object], told: Callable[[str], str]) -> Record:
    """`given` as a record of `kind`; ConfigError says what each unusable setting is `told` as, and what was expected.

    Flaws of several parts of one setting (a list) that read alike are said once.
    """
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        said = dict.fromkeys(f"{told(str(fault['loc'][0]))}: {fault['msg']}" for fault in faults)
        raise ConfigError("; ".join(said)) from None

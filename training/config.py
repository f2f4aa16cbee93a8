"""Settings of a run: a frozen dataclass with defaults, a TOML file over them, flags over both."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from data.errors import ConfigError
from data.rim import place

Config = TypeVar("Config")


def load_config(kind: type[Config], path: Path | None = None, flags: Mapping[str, object] | None = None) -> Config:
    """Build `kind` from defaults < TOML file < flags (a flag that is None was not given).

    ConfigError names an unknown key and lists what is known, and names each unusable value and what was expected.
    """
    settings: dict[str, object] = {}
    if path is not None:
        try:
            settings.update(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        except (OSError, ValueError, RecursionError) as error:  # ValueError: no TOML, or not even UTF-8
            raise ConfigError(f"{path}: {error}: give a readable TOML file") from None
    settings.update({key: value for key, value in (flags or {}).items() if value is not None})
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if unknown := sorted(set(settings) - set(known)):
        raise ConfigError(f"unknown setting {', '.join(unknown)}: known are {', '.join(known)}")
    try:
        return TypeAdapter(kind).validate_python(settings)
    except ValidationError as error:
        told = "; ".join(_told(fault) for fault in error.errors(include_url=False, include_context=False))
        raise ConfigError(f"settings of {kind.__name__}: {told}") from None


def _told(fault: ErrorDetails) -> str:
    """A fault with the value as it was given; one of several settings together has no place, and names them itself."""
    if not fault["loc"]:
        return fault["msg"].removeprefix("Value error, ")
    hint = ': a list is written ["a", "b"]' if fault["type"] == "tuple_type" else ""
    return f"{place(fault['loc'])}={fault['input']!r}: {fault['msg']}{hint}"


def refuse_others(config: object, read: Collection[str]) -> None:
    """ConfigError for settings that only a training reads, where a recalibration is told another value than usual."""
    usual = type(config)()
    names = [field.name for field in fields(config) if field.name not in read]  # type: ignore[arg-type]
    if odd := [f"{name}={value!r}" for name in names if (value := getattr(config, name)) != getattr(usual, name)]:
        raise ConfigError(
            f"{', '.join(odd)}: --recalibrate trains nothing, what was learnt stays as it is, and it reads only "
            f"{', '.join(read)}: leave out the others"
        )


def settings_of(kind: type[Config], kept: Mapping[str, object], **given: object) -> Config:
    """The settings of an earlier run as its bundle has `kept` them, some `given` anew; what is no setting any more
    is left out."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return load_config(kind, flags={name: value for name, value in kept.items() if name in known} | given)

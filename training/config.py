"""Settings of a run: a frozen dataclass with defaults, a TOML file over them, flags over both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from data.errors import ConfigError, InputError
from data.rim import parse

Config = TypeVar("Config")


def load_config(kind: type[Config], path: Path | None = None, flags: Mapping[str, object] | None = None) -> Config:
    """Build `kind` from defaults < TOML file < flags (a flag that is None was not given).

    An unknown key or a value of the wrong type is a ConfigError that names it and lists what is known.
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
        return parse(kind, settings)
    except InputError as error:
        hint = ': a list is written ["a", "b"]' if "valid tuple" in str(error) else ""
        raise ConfigError(f"settings of {kind.__name__}: {error}{hint}") from None


def settings_of(kind: type[Config], kept: Mapping[str, object], **given: object) -> Config:
    """The settings of an earlier run as its bundle has `kept` them, some `given` anew; what is no setting any more
    is left out."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return load_config(kind, flags={name: value for name, value in kept.items() if name in known} | given)

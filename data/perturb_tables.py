"""The tables behind the perturbations, read from TOML and checked: no key twice, no form that changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data.errors import ConfigError
from data.rim import read_table

DEFAULT_PATH = Path(__file__).parent / "perturb.toml"
# What a writer copies and never types; a link with all that follows it up to the first Han character, so that no ASCII
# grows onto it ("，" is "," after NFKC and ends no link).
UNTOUCHED = (
    r"(?:(?:(?:https?|ftp)://|www\.|(?<![A-Za-z0-9_.@-])(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,6}/)[!-~]"
    r"[^\s@\u4e00-\u9fff]*[\u4e00-\u9fff]?|(?<![\w.@-])@[\w·-]{1,30}(?![\w·.-]))"
)
_TO_FULL = {chr(code): chr(code + 0xFEE0) for code in range(ord("!"), ord("~") + 1)}

Forms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Copies:
    """What long_copy puts around a text."""

    head: tuple[str, ...]
    mention: tuple[str, ...]
    tail: tuple[str, ...]
    link: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    kept: str
    symbols: tuple[str, ...]
    like_shapes: str
    rates: dict[str, Annotated[float, Field(gt=0, le=1)]]
    copies: Copies
    tables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Other forms of words and characters, and the pattern that finds them outside links and mentions."""

    forms: Forms
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, forms: Forms) -> Table:
        words = [re.escape(key) for key in sorted(forms, key=len, reverse=True) if len(key) > 1]
        characters = "".join(re.escape(key) for key in forms if len(key) == 1)
        return cls(forms, outside("|".join([*words, f"[{characters}]"] if characters else words)))


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the perturbations look up; `loose` is a character class: Han that may be moved or parted."""

    kept: str
    symbols: tuple[str, ...]
    rates: Mapping[str, float]
    copies: Copies
    words: Mapping[str, Table]
    like_shapes: Forms
    loose: str


def outside(pattern: str) -> re.Pattern[str]:
    """Compile `pattern` so that links and mentions are found first, as the group `untouched`."""
    return re.compile(f"(?P<untouched>{UNTOUCHED})|(?:{pattern})", re.DOTALL)


def _once(name: str, pairs: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Pairs as a dict; ConfigError for a key that comes twice, a form that is empty, repeated or the key itself."""
    found: dict[str, tuple[str, ...]] = {}
    for key, forms in pairs:
        if not key or key in found:
            raise ConfigError(f"table {name}: {key or 'an empty key'!r} stands twice or is empty: keep one entry")
        if not all(forms) or len({key, *forms}) <= len(forms):
            raise ConfigError(f"table {name}: {key}={'/'.join(forms)}: each form must be new and unlike its key")
        found[key] = forms
    return found


def _entries(name: str, block: str) -> dict[str, tuple[str, ...]]:
    split = (entry.partition("=") for entry in block.split())
    return _once(name, ((key, tuple(forms.split("/"))) for key, _, forms in split))


def _groups(name: str, block: str) -> dict[str, tuple[str, ...]]:
    pairs = ((char, tuple(group.replace(char, ""))) for group in block.split() for char in group)
    found = _once(name, pairs)
    if alone := [char for char, others in found.items() if not others]:
        raise ConfigError(f"table {name}: {' '.join(alone)}: a group needs two characters")
    return found


@cache
def load_tables(path: Path = DEFAULT_PATH) -> Tables:
    """Read the tables; ConfigError names the file, the table and the entry that is wrong."""
    raw = read_table(_File, path, "table of perturbations")
    words = {name: _entries(name, block) for name, block in raw.tables.items()}
    to_half = {full: (half,) for half, full in _TO_FULL.items()} | {"\u3000": (" ",)}
    words["half_width"] = words.get("half_width", {}) | to_half
    words["full_width"] = {half: (full,) for half, full in _TO_FULL.items()}
    return Tables(
        kept=raw.kept,
        symbols=raw.symbols,
        rates=raw.rates,
        copies=raw.copies,
        words={name: Table.of(forms) for name, forms in words.items()},
        like_shapes=_groups("like_shapes", raw.like_shapes),
        loose=f"(?![{raw.kept}])[\u4e00-\u9fff]",
    )

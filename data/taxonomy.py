"""The taxonomy: crisis categories and severity levels, a table; the only place where their order lives."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from data.errors import ConfigError

DEFAULT_PATH = Path(__file__).parent / "taxonomy.toml"


@dataclass(frozen=True, slots=True)
class Category:
    """One crisis category. `scct` is the usual cluster of Coombs (2007): none, victim, accidental or preventable."""

    id: str
    name: str
    name_en: str
    definition: str
    example: str
    scct: str
    complaint_class: str
    gbt_42499_code: str


@dataclass(frozen=True, slots=True)
class Severity:
    """One level of harm; `rank` rises with harm, `level` is the numeral that falls."""

    rank: int
    level: str
    name: str
    color: str
    definition: str


@dataclass(frozen=True)
class Taxonomy:
    """Ordered categories (the first is "no crisis") and severities (position = rank)."""

    version: str
    categories: tuple[Category, ...]
    severities: tuple[Severity, ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(category.id for category in self.categories)

    @property
    def none_id(self) -> str:
        return self.categories[0].id

    def index(self, category_id: str) -> int:
        """Position of a category; ConfigError for an id that the table does not have."""
        try:
            return self.ids.index(category_id)
        except ValueError:
            raise ConfigError(f"unknown category {category_id!r}: use one of {', '.join(self.ids)}") from None

    @cached_property
    def sha256(self) -> str:
        """Hash of what a model depends on: the ids in order and the number of severities."""
        return hashlib.sha256("\n".join((*self.ids, str(len(self.severities)))).encode()).hexdigest()


def _rows(kind: type[Any], rows: list[dict[str, Any]], path: Path) -> tuple[Any, ...]:
    wanted = {field.name for field in fields(kind)}
    for number, row in enumerate(rows, start=1):
        if set(row) != wanted:
            odd = ", ".join(sorted(wanted ^ set(row)))
            raise ConfigError(f"{path.name}: {kind.__name__.lower()} {number}: fields missing or unknown: {odd}")
    return tuple(kind(**row) for row in rows)


@cache
def load_taxonomy(path: Path = DEFAULT_PATH) -> Taxonomy:
    """Read a taxonomy table; ConfigError names the row and field that is wrong."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    severities = _rows(Severity, table["severity"], path)
    if [severity.rank for severity in severities] != list(range(len(severities))):
        raise ConfigError(f"{path.name}: severity ranks must be 0, 1, 2, … in order")
    return Taxonomy(table["version"], _rows(Category, table["category"], path), severities)

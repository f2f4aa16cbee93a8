"""The taxonomy: crisis categories and severity levels, a table; the only place where their order lives."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from data.errors import ConfigError

DEFAULT_PATH = Path(__file__).parent / "taxonomy.toml"


@dataclass(frozen=True, slots=True)
class Category:
    """One crisis category. `scct` is the usual cluster of Coombs (2007): none, victim, accidental or preventable."""

    id: str
    """What answers say."""
    name: str
    """Chinese name."""
    name_en: str
    """English name."""
    definition: str
    """What belongs in it."""
    example: str
    """A post of it."""
    scct: str
    """`none`, `victim`, `accidental` or `preventable`."""
    complaint_class: str
    """Class of complaints of 12315 and 中消协 that it maps to."""
    gbt_42499_code: str
    """Code of GB/T 42499-2023; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Severity:
    """One level of harm; `rank` rises with harm, `level` is the numeral that falls."""

    rank: int
    """0 to 4."""
    level: str
    """Ⅳ for rank 1 to Ⅰ for rank 4; 无 for rank 0."""
    name: str
    """Chinese name."""
    color: str
    """Warning colour."""
    definition: str
    """What harm must be stated."""


def implied(category: str | None, severity: int | None, none_id: str) -> tuple[str | None, int | None]:
    """Both labels of a post, where one implies the other: no crisis has rank 0, and nothing else has."""
    if category is None and severity == 0:
        return none_id, severity
    return category, 0 if severity is None and category == none_id else severity


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
    def _named(self) -> Mapping[str, str]:
        """Ids by what people write for them: the id, and each name that one category alone has."""
        names = [(name.casefold(), one.id) for one in self.categories for name in {one.name, one.name_en}]
        times = Counter(name for name, _ in names)
        unique = {name: key for name, key in names if times[name] == 1}
        return unique | {key.casefold(): key for key in self.ids} | {key: key for key in self.ids}

    def named(self, label: str) -> str:
        """The id of a category by its id or name, in capitals or not; what is neither comes back as it is."""
        return self._named.get(label) or self._named.get(label.casefold(), label)

    def rank_named(self, label: str) -> int | None:
        """The rank of a level or a name, such as Ⅲ or 较大; None where it is neither, or that of several."""
        ranks = [one.rank for one in self.severities if label in (one.level, one.name)]
        return ranks[0] if len(ranks) == 1 else None

    def severity_fault(self, category: str | None, severity: int | None) -> str | None:
        """Why a post of this category cannot have this rank, if so; what is None was not said."""
        top = len(self.severities) - 1
        if severity is not None and severity > top:
            return f"{severity} is above the highest rank, {top}"
        if None not in (category, severity) and (category == self.none_id) != (severity == 0):
            give = "rank 0, or the category of the crisis" if severity else f"a rank from 1 up, or {self.none_id}"
            return f"{severity} with category {category}: {self.none_id} if and only if rank 0: give {give}"
        return None

    @cached_property
    def sha256(self) -> str:
        """Hash of what a model depends on: the ids in order and the number of severities."""
        return hashlib.sha256("\n".join((*self.ids, str(len(self.severities)))).encode()).hexdigest()


def _rows(kind: type[Any], table: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    """The rows of one kind: each with all fields of the right type and no others, at least two."""
    name, wanted, rows = kind.__name__.lower(), {field.name for field in fields(kind)}, table.get(kind.__name__.lower())
    if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{where}: at least two tables [[{name}]] are needed, the first for no crisis")
    for number, row in enumerate(rows, start=1):
        if set(row) != wanted:
            odd = ", ".join(sorted(wanted ^ set(row)))
            raise ConfigError(f"{where}: {name} {number}: fields missing or unknown: {odd}")
        for key, value in row.items():
            if type(value) is not (int if key == "rank" else str):
                raise ConfigError(
                    f"{where}: {name} {number}: {key} is {value!r}: give a whole number for rank, else text"
                )
    return tuple(kind(**row) for row in rows)


def parse_taxonomy(text: str, where: str) -> Taxonomy:
    """Read a table from TOML text; ConfigError names `where` it is from, and the row and field that is wrong."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{where}: {error}: give a TOML file with [[category]] and [[severity]] tables") from None
    categories, severities = (_rows(kind, table, where) for kind in (Category, Severity))
    if not isinstance(version := table.get("version"), str):
        raise ConfigError(f'{where}: version is {version!r}: give one as text, such as version = "1"')
    if twice := [key for key, times in Counter(category.id for category in categories).items() if times > 1]:
        raise ConfigError(f"{where}: category id {twice[0]!r} comes twice: give every category an id of its own")
    if [severity.rank for severity in severities] != list(range(len(severities))):
        raise ConfigError(f"{where}: severity ranks must be 0, 1, 2, … in order")
    if len(severities) < 3:  # the severity head would be empty, and OpenVINO loads no such graph
        raise ConfigError(f"{where}: two severity ranks: give rank 0 and at least two grades of harm")
    return Taxonomy(version, categories, severities)


@cache
def load_taxonomy(path: Path = DEFAULT_PATH) -> Taxonomy:
    """Read a taxonomy table (default: the packaged one); ConfigError says what is wrong with the file, or where."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}: name a readable taxonomy table in UTF-8") from None
    return parse_taxonomy(text, str(path))


def _toml(value: str | int) -> str:
    """A JSON string is a TOML string too, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_toml(taxonomy: Taxonomy) -> str:
    """The table as `parse_taxonomy` reads it."""

    def table(record: Category | Severity) -> str:
        lines = (f"{key} = {_toml(value)}\n" for key, value in asdict(record).items())
        return f"[[{type(record).__name__.lower()}]]\n" + "".join(lines)

    parts = [table(row) for row in taxonomy.categories] + [table(row) for row in taxonomy.severities]
    return f"version = {_toml(taxonomy.version)}\n\n" + "\n".join(parts)

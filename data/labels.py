"""Labels as people write them: ids or names of the taxonomy, ranks as whole numbers, a dash or a blank for none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from data.errors import InputError
from data.taxonomy import Taxonomy, implied

NOTHING = ("", "-", "–", "—", "－")  # cells that say that there is no label
MAX_CELL = 40  # characters of a cell that a report shows; the longest id of the taxonomy has 20
_WHOLE = re.compile(r"\+?(\d{1,9})(\.0+)?")  # a column of whole numbers with a gap holds 2.0
_CATEGORIES = ("category", "second")


def short(value: object) -> str:
    """A cell in a report: its beginning only, for where columns are mixed up it is a post."""
    if not isinstance(value, str):
        return repr(value)[:MAX_CELL]
    return repr(value if len(value) <= MAX_CELL else f"{value[:MAX_CELL]}…")


def read_labels(row: Mapping[str, object], taxonomy: Taxonomy) -> Mapping[str, object]:
    """The row with ids and ranks in the place of what was written, and the label that its other one implies.

    InputError for a severity that is no rank; categories that are not in the taxonomy stay as they are.
    """
    given = {name: _plain(row.get(name)) for name in (*_CATEGORIES, "severity")}
    found = {name: taxonomy.named(cell) if isinstance(cell := given[name], str) else cell for name in _CATEGORIES}
    rank = None if given["severity"] is None else _rank(given["severity"], taxonomy)
    category, severity = implied(cast(Any, found["category"]), rank, taxonomy.none_id)
    return {**row, **found, "category": category, "severity": severity}


def _plain(cell: object) -> object:
    """A cell without blanks around it; None for one of NOTHING, and for NaN, a table's null in a column of numbers."""
    if isinstance(cell, bytes):
        cell = cell.decode(errors="replace")
    if isinstance(cell, str):
        cell = cell.strip()
        return None if cell in NOTHING else cell
    return None if cell != cell else cell


def _rank(given: object, taxonomy: Taxonomy) -> int:
    whole = None if isinstance(given, bool) else _WHOLE.fullmatch(str(given))
    if whole and int(whole[1]) < len(taxonomy.severities):
        return int(whole[1])
    rank = taxonomy.rank_named(given) if isinstance(given, str) else None
    hint = "" if rank is None else f" ({given} is {rank})"
    raise InputError(f"severity: {short(given)} is no rank: give 0 to {len(taxonomy.severities) - 1}{hint}")

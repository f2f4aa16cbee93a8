"""What stands between the cells of a CSV file: a comma, or what spreadsheets write in its place."""

from __future__ import annotations

import csv
from collections.abc import Sequence

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
TOLD = "sep="  # Excel's line before the header


def told(line: str) -> str:
    """The separator that an Excel line such as `sep=;` tells, or ""."""
    line = line.rstrip("\r\n")
    found = line[len(TOLD) :] if line.lower().startswith(TOLD) else ""
    return found if found in SEPARATORS else ""


def find_separator(header: str, wanted: Sequence[str]) -> str:
    """That of SEPARATORS with which the header line has all `wanted` names; a comma where none has."""
    return next((mark for mark in SEPARATORS if set(wanted) <= {*_cells(header, mark)}), ",")


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return []

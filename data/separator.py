"""What stands between the cells of a CSV file: a comma, or what spreadsheets write in its place."""

from __future__ import annotations

import csv
from collections.abc import Collection

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
TOLD = "sep="  # Excel's line before the header


def told(line: str) -> str:
    """The separator that an Excel line such as `sep=;` tells, or ""."""
    line = line.rstrip("\r\n")
    found = line[len(TOLD) :] if line.lower().startswith(TOLD) else ""
    return found if found in SEPARATORS else ""


def find_separator(header: str, wanted: Collection[str]) -> str:
    """That of SEPARATORS with which the header line has most of the `wanted` names; a comma where none has more."""
    return max(SEPARATORS, key=lambda mark: len({*wanted} & _names(header, mark)))


def _names(line: str, separator: str) -> set[str]:
    try:
        return {name.strip() for name in next(csv.reader([line], delimiter=separator, strict=True), [])}
    except csv.Error:
        return set()

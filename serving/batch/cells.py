"""Cells of tables as JSON would have them, so that a row says the same in a table as on a line of JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(cell: Any) -> Any:
    """Python's own types; a field that is null is left out, since tables have no other way not to have one.

    NaN counts as null: pandas and Spark write so what is missing in an array of numbers.
    """
    if isinstance(cell, np.ndarray | np.generic):
        cell = cell.tolist()
    if isinstance(cell, Mapping):
        return {name: value for name, given in cell.items() if (value := plain(given)) is not None}
    if isinstance(cell, list):
        return [plain(one) for one in cell]
    return None if isinstance(cell, float) and math.isnan(cell) else cell

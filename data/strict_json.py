"""Figures as JSON that any reader takes: Python would write NaN and Infinity, which JSON does not have."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def finite(found: Any) -> Any:
    """The same tree with null for what is not a number."""
    if isinstance(found, Mapping):
        return {key: finite(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [finite(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def strict_json(found: Any) -> str:
    """Indented text with a last newline; dates and the like as their `str`."""
    return json.dumps(finite(found), ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"

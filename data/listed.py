"""Names of columns or fields as a message may show them."""

from __future__ import annotations

from collections.abc import Sequence

NAMES, WIDTH = 20, 40  # of columns in a message: how many, and characters of each


def listed(names: Sequence[str]) -> str:
    """Names as a message may show them: what a terminal would obey is escaped, and there is an end."""
    shown = [repr(name[:WIDTH])[1:-1] + "…" * (len(name) > WIDTH) for name in names[:NAMES]]
    return ", ".join(shown) + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")

"""When the calibration of an escalation head is stale: one limit and one comparison, for answers and for pages."""

from __future__ import annotations

from datetime import datetime, timedelta

WARN_AFTER_DAYS = 90  # of a head that was trained without a word about it


def is_stale(end: datetime | None, as_of: datetime, days: int) -> bool:
    """Whether a calibration whose labels reach to `end` is more than so many days old at `as_of`; None: not known."""
    return end is not None and (as_of - end) / timedelta(days=1) > days

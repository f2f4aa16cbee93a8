"""The time of day for deletions: a clock that is set forward by years must not delete what is young."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _time_of_day() -> datetime:
    return datetime.now(UTC)


class SteadyClock:
    """Never ahead of the time at the start plus what has passed since; a clock that is set back is followed.

    So a jump forward delays deletions until the next start, and no jump brings them forward.
    """

    def __init__(self, wall: Callable[[], datetime] = _time_of_day, passed: Callable[[], float] = time.monotonic):
        self._wall, self._passed = wall, passed
        self._began, self._offset = wall(), passed()

    def now(self) -> datetime:
        """The earlier of the two."""
        return min(self._wall(), self._began + timedelta(seconds=self._passed() - self._offset))

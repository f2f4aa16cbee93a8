"""How many requests may wait: fewer while answers take long, so that those let in are answered soon.

A fixed number bounds the wait only for requests of one size on one machine: 32 posts wait 0.3 s, 32 requests of four
posts 1.4 s. AIMD as in TCP's congestion control (Chiu and Jain, 1989): each answer in time adds a little room, a late
one takes a fifth away.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST = 4  # callers of long requests who come one after another are never refused
SHRINK, GROW = 0.8, 0.2  # at a tenth of the limit, GROW = 1 brings back in a second what a late answer took


class Room:
    """Between LEAST and `most` requests at a time; `patience` in seconds, 0 = always `most`."""

    def __init__(self, most: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._patience, self._clock = most, patience, clock
        self._least = min(LEAST, most)
        self._limit = float(most)
        self._shrink_at = 0.0

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return int(self._limit)

    def learn(self, seconds: float) -> None:
        """An answer took so long; those under way after a cut were let in before it, so they cut no further."""
        if not self._patience:
            return
        now = self._clock()
        if seconds <= self._patience:
            self._limit = min(self._most, self._limit + GROW / self._limit)
        elif now >= self._shrink_at:
            self._limit = max(self._least, self._limit * SHRINK)
            self._shrink_at = now + seconds

"""How many requests may wait: fewer while answers take long, so that those let in are answered soon.

A fixed number bounds the wait only for requests of one size on one machine: with 32 of 2.4 posts on average under way,
p99 was 1.4 s on one core. AIMD as in TCP's congestion control (Chiu and Jain, 1989): each answer in time adds a little
room, a late one takes a fifth away.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST = 4  # callers of long requests who come one after another are never refused
SHRINK, GROW = 0.8, 0.2  # GROW = 1 brought back within a second what a late answer took, and p99 swung


class Admission:
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

"""How much work may wait: as much as is done within the callers' patience, and no more.

A number of requests bounds the wait only for requests of one size on one machine: with 32 of 16 posts each under way,
one core took 2.8 s for an answer. So the work is counted in bytes of bodies, and the time that it takes is that of the
bytes answered lately (Little's law). Bytes are a rough measure: a post of 100 characters has twice those of
its tokens when its JSON is escaped; but callers send alike, and what counts is their sum.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.gate.refusal import RefusedError

LEAST = 4  # requests that are let in whatever they take: callers of long ones who come one after another
FIRST_PACE = 20_000.0  # bytes a second of one slow core, believed until answers have shown the pace
MEMORY = 2.0  # busy seconds after which an answer counts for the pace by 1/e


class Admission:
    """Work under way, in bytes, and the pace at which it is done.

    `most`: requests at a time; `patience`: seconds that what is let in may have to wait, 0 = however long.
    """

    def __init__(self, most: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._patience, self._clock = most, patience, clock
        self._requests = self._bytes = 0
        self._done, self._busy = FIRST_PACE * MEMORY / 8, MEMORY / 8  # bytes and busy seconds, the older the less
        self._since = 0.0  # from when on busy seconds are not counted yet

    @property
    def wait(self) -> float:
        """Seconds until all that is under way will be answered, as far as can be told."""
        return self._seconds(self._bytes)

    def check(self, size: int = 0) -> None:
        """RefusedError 503 when a request of so many bytes must not be let in now."""
        if self._requests >= self._most:
            raise _overloaded(f"{self._requests} requests are under way, which is the limit", 1)
        wait = self._seconds(self._bytes + size)
        if self._patience and self._requests >= LEAST and wait > self._patience:
            reason = f"{self._requests} requests are under way, and one more would wait for {wait:.1f} s"
            raise _overloaded(reason, math.ceil(wait - self._patience))

    @contextmanager
    def one(self, size: int) -> Iterator[None]:
        """A place for a request of so many bytes; one that ends without an exception is learnt from."""
        self.check(size)
        if not self._requests:
            self._since = self._clock()
        self._requests += 1
        self._bytes += size
        try:
            yield
            self._learn(size)
        finally:
            self._requests -= 1
            self._bytes -= size

    def _seconds(self, size: int) -> float:
        return size * self._busy / self._done

    def _learn(self, size: int) -> None:
        now = self._clock()
        spent, self._since = now - self._since, now
        kept = math.exp(-spent / MEMORY)
        self._done, self._busy = kept * self._done + max(size, 1), kept * self._busy + spent


def _overloaded(reason: str, seconds: int) -> RefusedError:
    return RefusedError(503, "overloaded", f"{reason}: try again", {"Retry-After": str(max(1, seconds))})

"""How much work may wait: as much as is done within the callers' patience, and no more.

A number of requests bounds the wait only for requests of one size on one machine: with 32 of 16 posts each under way,
one core took 2.8 s for an answer. So the work is counted in bytes of bodies, and the time that it takes is that of the
bytes scored lately (Little's law). Bytes are a rough measure: a post of 100 characters has twice those of
its tokens when its JSON is escaped; but callers send alike, and what counts is their sum.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.gate.refusal import RefusedError

LEAST = 2  # requests that are let in whatever they take: one under way, and one that comes meanwhile
FIRST_PACE = 20_000.0  # bytes a second of one slow core, believed until answers have shown the pace
MEMORY = 2.0  # busy seconds after which an answer counts for the pace by 1/e


class Admission:
    """Work under way, in bytes, and the pace at which it is done.

    `most`: requests at a time; `patience`: seconds that what is let in may have to wait, 0 = however long. Only what
    lies before a request counts, not its own work: else a large one would never be let in beside some small ones.
    """

    def __init__(self, most: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._patience, self._clock = most, patience, clock
        self._requests = self._bytes = 0
        self._done, self._busy = FIRST_PACE * MEMORY / 8, MEMORY / 8  # bytes and busy seconds, the older the less
        self._since = 0.0  # from when on busy seconds are not counted yet

    @property
    def wait(self) -> float:
        """Seconds until all that is under way will be answered, as far as can be told."""
        return self._bytes * self._busy / self._done

    def check(self) -> None:
        """RefusedError 503 when no request must be let in now."""
        if self._requests >= self._most:
            raise _overloaded(f"{self._requests} requests are under way, which is the limit", 1)
        if self._patience and self._requests >= LEAST and self.wait > self._patience:
            reason = f"{self._requests} requests are under way, and one more would wait for {self.wait:.1f} s"
            raise _overloaded(reason, math.ceil(self.wait - self._patience))

    @contextmanager
    def one(self, size: int) -> Iterator[None]:
        """A place for a request of so many bytes."""
        self.check()
        if not self._requests:
            self._since = self._clock()
        self._requests += 1
        self._bytes += size
        try:
            yield
        finally:
            self._requests -= 1
            self._bytes -= size

    def learn(self, size: int, read: float = 1.0) -> None:
        """So many bytes have been scored, of which the engine `read` a share: call it before their place is given back.

        Not for what was answered without scoring: 1,500 GET /score had the pace at 238 bytes a second. What memory
        knew (reposts) tells nothing of how long the next new posts will take.
        """
        now = self._clock()
        spent, self._since = now - self._since, now
        if read == 0:
            return
        kept = math.exp(-spent / MEMORY)
        self._done, self._busy = kept * self._done + max(size * read, 1), kept * self._busy + spent


def _overloaded(reason: str, seconds: int) -> RefusedError:
    return RefusedError(503, "overloaded", f"{reason}: try again", {"Retry-After": str(max(1, seconds))})

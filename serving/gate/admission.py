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
TURN = 8_000  # bytes: what of a large request lies before a small one, as the engine reads them by turns


class Place:
    """A request under way: it has its share of the time in which it is."""

    def __init__(self, room: Admission, size: int) -> None:
        self._room, self._size, self._begun = room, size, room.shared_out()

    def scored(self, read: float = 1.0) -> None:
        """The request has been scored, and the engine has `read` a share of it.

        Not to be told of what was answered without scoring: 1,500 GET /score had the pace at 238 bytes a second. What
        memory knew (reposts) tells nothing of how long the next new posts will take.
        """
        if read:
            self._room.learn(self._size * read, min(self._size, TURN) * (self._room.shared_out() - self._begun))


class Admission:
    """Work under way, in bytes, and the pace at which it is done.

    `most`: requests at a time; `patience`: seconds that what is let in may have to wait, 0 = however long. Only what
    lies before a request counts, not its own work: else a large one would never be let in beside some small ones.
    Before a small one lies a turn of each large one: counted whole, one request of 256 long posts had hundreds of small
    ones refused, each of which would have been answered within half a second.
    """

    def __init__(self, most: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._patience, self._clock = most, patience, clock
        self._requests = self._bytes = self._turns = 0
        self._done, self._busy = FIRST_PACE * MEMORY / 8, MEMORY / 8  # bytes and busy seconds, the older the less
        self._elapsed = self._since = 0.0  # busy seconds that each byte of `_turns` has had, and until when

    @property
    def wait(self) -> float:
        """Seconds until all that is under way will be answered, as far as can be told."""
        return self._bytes * self._busy / self._done

    def shared_out(self) -> float:
        """Busy seconds that each byte under way has had until now, counted from the start of the process."""
        now = self._clock()
        if self._turns:
            self._elapsed += (now - self._since) / self._turns
        self._since = now
        return self._elapsed

    def check(self, size: int = 0) -> None:
        """RefusedError 503 when no request (of so many bytes) must be let in now."""
        if self._requests >= self._most:
            raise _overloaded(f"{self._requests} requests are under way, which is the limit", 1)
        wait = (self._bytes if size > TURN else self._turns) * self._busy / self._done
        if self._patience and self._requests >= LEAST and wait > self._patience:
            reason = f"{self._requests} requests are under way, and one more would wait for {wait:.1f} s"
            raise _overloaded(reason, math.ceil(wait - self._patience))

    @contextmanager
    def one(self, size: int) -> Iterator[Place]:
        """A place for a request of so many bytes."""
        self.check(size)
        place, turn = Place(self, size), min(size, TURN)
        self._requests += 1
        self._bytes += size
        self._turns += turn
        try:
            yield place
        finally:
            self.shared_out()
            self._requests -= 1
            self._bytes -= size
            self._turns -= turn

    def learn(self, done: float, busy: float) -> None:
        """So many bytes took so many busy seconds."""
        kept = math.exp(-busy / MEMORY)
        self._done, self._busy = kept * self._done + max(done, 1), kept * self._busy + busy


def _overloaded(reason: str, seconds: int) -> RefusedError:
    return RefusedError(503, "overloaded", f"{reason}: try again", {"Retry-After": str(max(1, seconds))})

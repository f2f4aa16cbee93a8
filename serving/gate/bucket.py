"""Token buckets: so many requests per second for each caller, and a burst at once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000  # names come from the keys; a bound all the same


class Buckets:
    """One bucket per caller, `rate` tokens a second, at most `burst`; a rate of 0 never refuses."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> tokens, at which time

    def wait(self, caller: str) -> float:
        """Take a token and return 0, or leave the bucket alone and return the seconds until there is one."""
        if not self.rate:
            return 0.0
        now = self._clock()
        tokens, then = self._filled.pop(caller, (float(self.burst), now))
        tokens = min(self.burst, tokens + self.rate * max(0.0, now - then))
        taken = tokens >= 1
        self._filled[caller] = (tokens - taken, now)
        if len(self._filled) > MAX_CALLERS:
            self._filled.popitem(last=False)
        return 0.0 if taken else (1 - tokens) / self.rate

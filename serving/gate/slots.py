"""So many requests at a time, and the next is refused at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from serving.gate.refusal import RefusedError


class Slots:
    """Places for so many requests, whatever their size. RefusedError 503 when none is free."""

    def __init__(self, what: str, most: int) -> None:
        self.what = what
        self._most = most
        self._taken = 0

    def check(self) -> None:
        """Refuse when all are taken, without taking one."""
        if self._taken >= self._most:
            message = f"{self._taken} {self.what}, which is the limit: try again"
            raise RefusedError(503, "overloaded", message, {"Retry-After": "1"})

    @contextmanager
    def one(self, size: int = 0) -> Iterator[None]:
        """A place for as long as the context lasts."""
        self.check()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

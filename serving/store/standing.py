"""Is the database there? What the last who asked it found: for the metric, the log, and when to ask again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from serving.store import metrics
from serving.store.errors import StoreDownError

logger = logging.getLogger("bentoml.yujing.store")

RETRY_SECONDS = 5.0  # between attempts while the database is down: each may take as long as its timeouts
LOOK_SECONDS = 5.0  # without anything to write, after which it is asked whether it is still there

Found = TypeVar("Found")


class Standing:
    """Only the writer's thread asks. Nobody has asked yet: taken as up, but the metric does not say so."""

    def __init__(self) -> None:
        self.up = True
        self._retry_at = self._look_at = 0.0

    @property
    def due(self) -> bool:
        """Whether it may be asked now."""
        return self.up or time.monotonic() >= self._retry_at

    @property
    def stale(self) -> bool:
        """Whether nobody has asked for a while."""
        return self.due and time.monotonic() >= self._look_at

    def ask(self, step: Callable[[], Found]) -> Found | None:
        """What the step in the database gives; None, also when it is too early to try again, while it is down."""
        if not self.due:
            return None
        try:
            found = step()
        except StoreDownError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            self._say(up=False, why=str(error))
            return None
        self._say(up=True)
        return found

    def _say(self, up: bool, why: str = "") -> None:
        self._look_at = time.monotonic() + LOOK_SECONDS
        metrics.UP.set(int(up))
        if up != self.up:
            logger.warning("the store is %s", "up again" if up else f"down, predictions go to the spool: {why}")
        self.up = up

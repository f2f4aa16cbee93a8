"""Reposts over HTTP: what the engine has read a while ago it is not asked again."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from serving import metrics

if TYPE_CHECKING:
    from models.scorer import Scorer


class Reading:
    """How many rows the engine read for a request, and how many memory knew."""

    def __init__(self) -> None:
        self.read = self.known = 0

    def add(self, read: int, known: int) -> None:
        self.read, self.known = self.read + read, self.known + known

    @property
    def share(self) -> float:
        """The share that was read; 1 where there was no text, since all of the work was done."""
        return self.read / (self.read + self.known) if self.read + self.known else 1.0


READING: ContextVar[Reading] = ContextVar("yujing.reading")  # of the request that is scored, where one wants to know


def tell(read: int, known: int) -> None:
    """What an engine has just read, and what it knew: for the metrics, and for who asked."""
    metrics.ENGINE_ROWS.labels("engine").inc(read)
    metrics.ENGINE_ROWS.labels("memory").inc(known)
    if (asked := READING.get(None)) is not None:
        asked.add(read, known)


def remembering(scorer: Scorer, size: int) -> Scorer:
    """The same scorer, whose engine remembers `size` rows of tokens (0 = none)."""
    from models.remembering import RememberingEngine

    if scorer.text is None or size == 0:
        return scorer
    engine = RememberingEngine(scorer.text.engine, size, tell)
    return replace(scorer, text=replace(scorer.text, engine=engine))

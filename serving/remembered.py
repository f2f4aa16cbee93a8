"""Reposts over HTTP: what the engine has read a while ago it is not asked again."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from serving import metrics

if TYPE_CHECKING:
    from models.scorer import Scorer


class Tally:
    """How many rows were read, and how many memory knew, since it was last asked."""

    def __init__(self) -> None:
        self._read = self._known = 0
        self._turn = Lock()

    def add(self, read: int, known: int) -> None:
        with self._turn:
            self._read, self._known = self._read + read, self._known + known
        metrics.ENGINE_ROWS.labels("engine").inc(read)
        metrics.ENGINE_ROWS.labels("memory").inc(known)

    def share(self) -> float:
        """The share that was read, 1 where there was nothing to read."""
        with self._turn:
            read, both = self._read, self._read + self._known
            self._read = self._known = 0
        return read / both if both else 1.0


TALLY = Tally()  # of all engines of this process: the gate learns the pace of reading from it


def remembering(scorer: Scorer, size: int) -> Scorer:
    """The same scorer, whose engine remembers `size` rows of tokens (0 = none)."""
    from models.remembering import RememberingEngine

    if scorer.text is None or size == 0:
        return scorer
    engine = RememberingEngine(scorer.text.engine, size, TALLY.add)
    return replace(scorer, text=replace(scorer.text, engine=engine))

"""Reposts over HTTP: what the engine has read a while ago it is not asked again."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from serving import metrics

if TYPE_CHECKING:
    from models.scorer import Scorer


class Tally:
    """How many rows were read, and how many memory knew."""

    def __init__(self) -> None:
        self._read = self._known = 0
        self._share = 1.0
        self._turn = Lock()

    def add(self, read: int, known: int) -> None:
        with self._turn:
            self._read, self._known = self._read + read, self._known + known
        metrics.ENGINE_ROWS.labels("engine").inc(read)
        metrics.ENGINE_ROWS.labels("memory").inc(known)

    def share(self) -> float:
        """The share that was read since this was last asked; with nothing since then, that of before.

        Requests that were scored as one ask one after the other: all but the first took their reposts for new posts.
        """
        with self._turn:
            if both := self._read + self._known:
                self._share = self._read / both
            self._read = self._known = 0
            return self._share


TALLY = Tally()  # of all engines of this process: the gate learns the pace of reading from it


def remembering(scorer: Scorer, size: int) -> Scorer:
    """The same scorer, whose engine remembers `size` rows of tokens (0 = none)."""
    from models.remembering import RememberingEngine

    if scorer.text is None or size == 0:
        return scorer
    engine = RememberingEngine(scorer.text.engine, size, TALLY.add)
    return replace(scorer, text=replace(scorer.text, engine=engine))

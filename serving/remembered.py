"""Reposts over HTTP: what the engine has read a while ago it is not asked again."""

from __future__ import annotations

import hashlib
import secrets
from array import array
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from models.batching import Float, Ids
from serving import metrics
from serving.recent import Recent

if TYPE_CHECKING:
    from models.engine import Engine
    from models.scorer import Scorer


KEY = secrets.token_bytes(16)  # of this process: without it nobody can tell from a digest whether a text was here


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


class RememberingEngine:
    """An engine whose last logits are kept, under a digest of the tokens, never a text; usable from several threads.

    A post has the same logits alone and among others, bit for bit (`models.batching` says why), so answers are those
    of an engine that is asked every time. Texts that normalisation makes equal (links, mentions, full width) are equal
    here, too.
    """

    def __init__(self, engine: Engine, size: int) -> None:
        self.engine = engine
        self._recent = Recent[tuple[Float, Float]](size)
        self._turn = Lock()

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        keys = [_digest(row) for row in rows]
        with self._turn:
            found = [self._recent.get(key) for key in keys]
        left = [place for place, known in enumerate(found) if known is None]
        TALLY.add(len(left), len(rows) - len(left))
        if left:
            read = zip(*self.engine.logits([rows[place] for place in left]), strict=True)
            with self._turn:
                for place, (category, severity) in zip(left, read, strict=True):
                    found[place] = category, severity
                    self._keep(keys[place], category, severity)
        known = [logits for logits in found if logits is not None]
        return np.stack([category for category, _ in known]), np.stack([severity for _, severity in known])

    def _keep(self, key: str, category: Float, severity: Float) -> None:
        """Copies, since a row of an array holds the whole array in memory; what is no number is asked for again."""
        if np.isfinite(category).all() and np.isfinite(severity).all():
            self._recent.put(key, (category.copy(), severity.copy()))


def _digest(row: Sequence[int]) -> str:
    return hashlib.blake2b(array("i", row).tobytes(), digest_size=16, key=KEY).hexdigest()


def remembering(scorer: Scorer, size: int) -> Scorer:
    """The same scorer, whose engine remembers `size` rows of tokens (0 = none)."""
    if scorer.text is None or size == 0:
        return scorer
    return replace(scorer, text=replace(scorer.text, engine=RememberingEngine(scorer.text.engine, size)))

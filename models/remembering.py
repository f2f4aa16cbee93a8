"""An engine that remembers: what it has read a while ago it is not asked again."""

from __future__ import annotations

import hashlib
import secrets
from array import array
from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np

from data.recent import Recent
from models.batching import Float, Ids
from models.engine import Engine

EVERY = 10**9  # rows: for a measurement, which ends
KEY = secrets.token_bytes(16)  # of this process: without it nobody can tell from a digest whether a text was here


def _nobody(read: int, known: int) -> None:
    """Where nobody wants to know."""


class RememberingEngine:
    """An engine whose last logits are kept, under a digest of the tokens, never a text; usable from several threads.

    A post has the same logits alone and among others, bit for bit (`models.batching` says why), so answers are those
    of an engine that is asked every time. Texts that normalisation makes equal (links, mentions, full width) are equal
    here, too. `size`: rows that are kept; `tell` hears of each call how many rows were read, and how many were known.
    """

    def __init__(self, engine: Engine, size: int, tell: Callable[[int, int], object] = _nobody) -> None:
        self.engine, self.tell = engine, tell
        self._recent = Recent[tuple[Float, Float]](size)
        self._turn = Lock()

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        keys = [_digest(row) for row in rows]
        with self._turn:
            found = {key: known for key in keys if (known := self._recent.get(key)) is not None}
        left = {key: row for key, row in zip(keys, rows, strict=True) if key not in found}
        self.tell(len(left), len(rows) - len(left))
        if left:
            read = zip(*self.engine.logits([*left.values()]), strict=True)
            with self._turn:
                for key, (category, severity) in zip(left, read, strict=True):
                    found[key] = category, severity
                    self._keep(key, category, severity)
        return np.stack([found[key][0] for key in keys]), np.stack([found[key][1] for key in keys])

    def _keep(self, key: str, category: Float, severity: Float) -> None:
        """Copies, since a row of an array holds the whole array in memory; what is no number is asked for again."""
        if np.isfinite(category).all() and np.isfinite(severity).all():
            self._recent.put(key, (category.copy(), severity.copy()))


def _digest(row: Sequence[int]) -> str:
    return hashlib.blake2b(array("i", row).tobytes(), digest_size=16, key=KEY).hexdigest()

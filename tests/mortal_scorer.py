"""Scorers that fail, in a module of their own: worker processes import it by this name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from keyword_scorer import KeywordScorer

from data.errors import BundleError
from data.records import Item
from data.results import Result


class Mortal(KeywordScorer):
    """Kills its process at the first window, once for all workers, or always."""

    def __init__(self, mark: Path | None) -> None:
        self.mark = mark

    def score(self, items: Sequence[Item]) -> list[Result]:
        if self.mark is None or not self.mark.exists():
            if self.mark:
                self.mark.touch()
            os.kill(os.getpid(), 9)
        return super().score(items)


def refuse() -> KeywordScorer:
    raise BundleError("tampered with")

"""Training posts once more in the midst of ordinary ones, so that a grave sentence counts in a long text, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from data.records import Example
from data.surround import LENGTHS, Lengths, surrounded

SHORTEST, LONGEST = 8, 100  # characters of a post that stands around another one


def ordinary_texts(rows: Sequence[Example]) -> list[str]:
    """The texts of the rows of rank 0 that are short enough to stand around another one."""
    return [row.text for row in rows if row.severity == 0 and SHORTEST <= len(row.text) <= LONGEST]


def all_surrounded(texts: Sequence[str], ordinary: Sequence[str], seed: int, lengths: Lengths = LENGTHS) -> list[str]:
    """Each text between `ordinary` ones; none depends on its neighbours."""

    def own(text: str) -> Random:
        return Random(f"{seed}/{text}".encode("utf-8", "surrogatepass"))

    return [surrounded(text, ordinary, own(text), lengths) for text in texts]


def surrounded_rows(rows: Sequence[Example], share: float, seed: int) -> list[Example]:
    """As many as `share` of the rows, once more in the midst of others; a row of rank r is r + 1 times as likely.

    The label stays: what stands around is of rank 0. A row that is too long for others is left out.
    """
    graded = [row for row in rows if row.severity is not None]
    wanted = min(round(share * len(rows)), len(graded))
    if not wanted:
        return []
    chances = np.array([1.0 + (row.severity or 0) for row in graded])
    drawn = np.random.default_rng(seed).choice(len(graded), wanted, replace=False, p=chances / chances.sum())
    chosen = [graded[place] for place in drawn]
    texts = all_surrounded([row.text for row in chosen], ordinary_texts(rows), seed)
    return [replace(row, text=text) for row, text in zip(chosen, texts, strict=True) if text != row.text]

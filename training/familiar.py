"""Rows that only teach and that the bundle which a run begins with answers already: only a share is taught again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from training.corpus import Corpus, fully_labelled
from training.soft import Array, soft_labels
from training.text_config import TextConfig

SURE = 0.9  # a row is familiar where its category and its rank have at least this probability together


def familiar(rows: Sequence[Example], category: Array, severity: Array, taxonomy: Taxonomy) -> NDArray[np.bool_]:
    """Which rows [n] are answered as labelled, by probabilities [n, categories] and [n, ranks]; both labels needed."""
    known = np.zeros(len(rows), dtype=bool)
    for place, row in enumerate(rows):
        if fully_labelled(row):
            likely = category[place, taxonomy.index(row.category or "")] * severity[place, row.severity or 0]
            known[place] = likely >= SURE
    return known


def without_familiar(corpus: Corpus, start: Bundle, config: TextConfig, taxonomy: Taxonomy, console: Console) -> Corpus:
    """The corpus with `familiar_share` of its familiar extra rows, drawn by the seed; all others stay."""
    rows = corpus.extra
    if config.familiar_share == 1 or not rows:
        return corpus
    cache = config.checkpoints / "familiar.npz"
    known = familiar(rows, *soft_labels(start, [row.text for row in rows], cache, config.threads), taxonomy)
    places = np.flatnonzero(known)
    again = Random(config.seed).sample(places.tolist(), round(config.familiar_share * len(places)))
    known[again] = False
    corpus.about["familiar_left_out"] = len(places) - len(again)
    console.print(f"familiar: {len(places)} of {len(rows)} rows that only teach, {len(again)} of them taught again")
    return replace(corpus, extra=tuple(row for row, left_out in zip(rows, known, strict=True) if not left_out))

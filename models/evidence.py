"""Evidence: which words of a post speak for its category, by leaving one word out at a time."""

from __future__ import annotations

import numpy as np
from scipy.special import logit

from data.records import Evidence, Word
from data.words import words
from models.text import TextModel

MAX_WORDS = 48  # candidates of one post; each costs one row of a batch
TOP = 5


def _without(text: str, word: Word) -> str:
    return text[: word.start] + text[word.end :]


def _candidates(text: str) -> list[Word]:
    found = [word for word in words(text) if any(char.isalnum() for char in word.text)]
    return sorted(found, key=lambda word: -len(word.text))[:MAX_WORDS]


def evidence(model: TextModel, text: str, chosen: int, probability: float) -> tuple[Evidence, ...]:
    """Words whose removal lowers the log-odds of category `chosen` most; weight = that drop, positions in `text`."""
    candidates = [word for word in _candidates(text) if _without(text, word).strip()]
    if not candidates:
        return ()
    without = model.predict([_without(text, word) for word in candidates]).category[:, chosen]
    drops = logit(np.clip(probability, 1e-6, 1 - 1e-6)) - logit(np.clip(without, 1e-6, 1 - 1e-6))
    order = np.argsort(-drops, kind="stable")[:TOP]
    return tuple(
        Evidence(candidates[i].text, candidates[i].start, candidates[i].end, round(float(drops[i]), 3))
        for i in order
        if drops[i] > 0
    )

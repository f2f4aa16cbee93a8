"""The second reader: a linear model of character n-grams, whose logits are added to the BERT's.

It errs differently: it knows rare names and set phrases by heart, the BERT knows what sentences mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from data.errors import BundleError
from data.respell import readable

NGRAMS = (1, 4)  # characters
NAMES = {"ngrams", "idf", "coefficients", "intercept"}

_SPACES = re.compile(r"\s\s+")


def plain(text: str) -> str:
    """The text as the n-grams see it: as the models read it, in lower case."""
    return readable(text).lower()


@dataclass(frozen=True, eq=False)
class LexicalModel:
    """Logistic regression on TF-IDF of character n-grams, as scikit-learn's TfidfVectorizer has it (sublinear, L2).

    `ngrams` with their `idf` [n-grams], `coefficients` [n-grams, categories], `intercept` [categories]. scikit-learn's
    own way takes five times as long for a single post: it checks its arguments at every call.
    """

    ngrams: Sequence[str]
    idf: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]

    @cached_property
    def places(self) -> dict[str, int]:
        """n-gram -> its row."""
        return {ngram: place for place, ngram in enumerate(self.ngrams)}

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Category logits [n, categories] of n texts."""
        return np.stack([self._row(_SPACES.sub(" ", plain(text))) for text in texts])

    def _row(self, text: str) -> NDArray[np.float32]:
        places, last = self.places, len(text) + 1
        found = [
            place
            for n in range(NGRAMS[0], NGRAMS[1] + 1)
            for start in range(last - n)
            if (place := places.get(text[start : start + n])) is not None
        ]
        if not found:
            return self.intercept
        rows, counts = np.unique(found, return_counts=True)
        weights = (1 + np.log(counts, dtype=np.float32)) * self.idf[rows]
        weights /= np.sqrt(weights @ weights)
        return np.asarray(weights @ self.coefficients[rows] + self.intercept, np.float32)


def dump_lexical(model: LexicalModel) -> bytes:
    """As safetensors; coefficients in fp16 (40,000 n-grams: 1.7 MB), n-grams as the bytes of a JSON list."""
    ngrams = json.dumps([*model.ngrams], ensure_ascii=False).encode()
    return save(
        {
            "ngrams": np.frombuffer(ngrams, np.uint8),
            "idf": model.idf.astype(np.float32),
            "coefficients": np.ascontiguousarray(model.coefficients, np.float16),
            "intercept": model.intercept.astype(np.float32),
        }
    )


def load_lexical(blob: bytes, categories: int) -> LexicalModel:
    """The way back from `dump_lexical`; BundleError unless all parts are there and fit each other."""
    try:
        return _read(blob, categories)
    except Exception as error:  # a file that someone else made can fail in any way
        why = f"{type(error).__name__}: {error}"
        raise BundleError(f"the lexical model cannot be read ({why}): train the text model again") from None


def _read(blob: bytes, categories: int) -> LexicalModel:
    parts = load(blob)
    if set(parts) != NAMES:
        raise ValueError(f"it holds {sorted(parts)}, expected {sorted(NAMES)}")
    ngrams = json.loads(parts["ngrams"].tobytes())
    if not isinstance(ngrams, list) or not all(isinstance(one, str) for one in ngrams) or len({*ngrams}) < len(ngrams):
        raise ValueError("its n-grams are no list of distinct texts")
    shapes = (len(ngrams), categories), (len(ngrams),), (categories,)
    if tuple(parts[name].shape for name in ("coefficients", "idf", "intercept")) != shapes:
        raise ValueError(f"its shapes do not fit {len(ngrams)} n-grams and {categories} categories")
    if (
        not all(np.isfinite(parts[name]).all() for name in ("coefficients", "idf", "intercept"))
        or (parts["idf"] <= 0).any()
    ):
        raise ValueError("its numbers are not finite, or an idf is not above 0")
    return LexicalModel(ngrams, parts["idf"], parts["coefficients"].astype(np.float32), parts["intercept"])

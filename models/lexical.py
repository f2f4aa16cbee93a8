"""The second reader: a linear model of character n-grams, whose logits are added to the BERT's.

It errs differently: it knows rare names and set phrases by heart, the BERT knows what sentences mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from data.errors import BundleError
from data.normalise import normalise
from data.simplify import simplify
from models.lean import without

with without("pandas"):  # scikit-learn looks for it when it is first loaded; no data frames come here
    from sklearn.feature_extraction.text import TfidfVectorizer

NGRAMS = (1, 4)  # characters
NAMES = {"ngrams", "idf", "coefficients", "intercept"}


def plain(text: str) -> str:
    """The text as the n-grams see it: normalised, simplified, lower case."""
    return simplify(normalise(text).text).lower()


def vectorizer(vocabulary: Sequence[str] | None = None) -> TfidfVectorizer:
    """Unfitted TF-IDF of character n-grams; a given vocabulary fixes its columns."""
    return TfidfVectorizer(
        preprocessor=plain,
        analyzer="char",
        ngram_range=NGRAMS,
        min_df=1 if vocabulary else 2,
        sublinear_tf=True,
        vocabulary=vocabulary,
        dtype=np.float32,
    )


@dataclass(frozen=True, eq=False)
class LexicalModel:
    """Fitted vectorizer, coefficients [n-grams, categories] and intercept [categories]."""

    features: TfidfVectorizer
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Category logits [n, categories] of n texts."""
        return np.asarray(self.features.transform(texts) @ self.coefficients + self.intercept, np.float32)


def dump_lexical(model: LexicalModel) -> bytes:
    """As safetensors; coefficients in fp16 (40,000 n-grams: 1.7 MB), n-grams as the bytes of a JSON list."""
    ngrams = json.dumps(list(model.features.get_feature_names_out()), ensure_ascii=False).encode()
    return save(
        {
            "ngrams": np.frombuffer(ngrams, np.uint8),
            "idf": model.features.idf_.astype(np.float32),
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
    shapes = (len(ngrams), categories), (len(ngrams),), (categories,)
    if tuple(parts[name].shape for name in ("coefficients", "idf", "intercept")) != shapes:
        raise ValueError(f"its shapes do not fit {len(ngrams)} n-grams and {categories} categories")
    features = vectorizer(ngrams)
    features.idf_ = parts["idf"]
    return LexicalModel(features, parts["coefficients"].astype(np.float32), parts["intercept"])

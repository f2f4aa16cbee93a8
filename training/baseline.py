"""The peer that the BERT must beat: TF-IDF over jieba words and characters with logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from data.simplify import in_simplified
from data.words import words


def _plain(text: str) -> str:
    return in_simplified(text).lower()


def _words(text: str) -> list[str]:
    return [word.text for word in words(text)]


def baseline_model(seed: int = 0) -> Pipeline:
    """Unfitted pipeline: texts in, class probabilities out."""
    features = make_union(
        TfidfVectorizer(
            preprocessor=_plain,
            tokenizer=_words,
            token_pattern=None,
            ngram_range=(1, 2),
            min_df=2,
            sublinear_tf=True,
        ),
        TfidfVectorizer(preprocessor=_plain, analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True),
    )
    return make_pipeline(features, LogisticRegression(C=10, class_weight="balanced", max_iter=300, random_state=seed))


class Baseline:
    """One logistic regression for the category and one for the severity, on the same features."""

    def __init__(self, texts: Sequence[str], category: NDArray[np.int64], rank: NDArray[np.int64]) -> None:
        pipeline = baseline_model()
        self.features, head = pipeline[0], pipeline[-1]
        matrix = self.features.fit_transform(texts)
        self.category = head.fit(matrix, category)
        self.severity = baseline_model()[-1].fit(matrix, rank)

    def predict(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Category probabilities [n, classes seen], category and rank decisions [n]."""
        matrix = self.features.transform(texts)
        probabilities = self.category.predict_proba(matrix)
        return probabilities, self.category.classes_[probabilities.argmax(1)], self.severity.predict(matrix)

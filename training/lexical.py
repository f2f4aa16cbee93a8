"""Fit the second reader (models.lexical) on the training posts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression

from models.lexical import NGRAMS, LexicalModel, plain

NEVER = 5.0  # an unseen category's logit lies this far below the lowest intercept


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


def informative(texts: Sequence[str], labels: NDArray[np.int64], size: int) -> list[str]:
    """The `size` n-grams that tell the categories apart best (chi-squared), in alphabetical order."""
    features = vectorizer()
    scores = np.nan_to_num(chi2(features.fit_transform(texts), labels)[0])
    names = features.get_feature_names_out()
    return sorted(names[np.argsort(-scores, kind="stable")[:size]])


def fit_lexical(texts: Sequence[str], labels: NDArray[np.int64], categories: int, size: int) -> LexicalModel:
    """Logistic regression with balanced classes on the `size` most informative n-grams; labels are [n] < categories.

    C=10 as in the baseline. Balanced: in a trial macro-F1 0.40 against 0.33 on a source left out (`shop`).
    """
    ngrams = informative(texts, labels, size)
    features = vectorizer(ngrams)
    fitted = LogisticRegression(C=10, class_weight="balanced", max_iter=300).fit(features.fit_transform(texts), labels)
    rows, intercept = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn keeps one row for two classes
        rows, intercept = np.vstack([-rows, rows]) / 2, np.array([-intercept[0], intercept[0]]) / 2
    coefficients = np.zeros((rows.shape[1], categories), np.float32)
    coefficients[:, fitted.classes_] = rows.T
    offset = np.full(categories, intercept.min() - NEVER, np.float32)
    offset[fitted.classes_] = intercept
    return LexicalModel(ngrams, features.idf_, coefficients, offset)

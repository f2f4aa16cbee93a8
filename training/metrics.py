"""The figures by which models are compared; plain functions of arrays, so that each can be resampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, roc_auc_score

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]

SEVERE = 3  # rank from which a crisis must not be missed
MISSED = 1  # a severe crisis graded this low or lower is under-graded
ALARM = 2  # rank from which a desk is disturbed


def accuracy(truth: Labels, chosen: Labels) -> float:
    """Share of rows decided right."""
    return float((truth == chosen).mean())


def accuracy_with_second(truth: Labels, second: Labels, chosen: Labels) -> float:
    """Share of rows whose decision is the category or its runner-up (-1 = there is none)."""
    return float(((truth == chosen) | (second == chosen)).mean())


def per_class_f1(truth: Labels, chosen: Labels, classes: int) -> Floats:
    """F1 of each class: [classes]; nan where a class is neither true nor chosen anywhere."""
    counts = confusion(truth, chosen, classes)
    both = counts.sum(0) + counts.sum(1)
    hits = 2.0 * counts.diagonal()
    return np.asarray(np.divide(hits, both, out=np.full(classes, np.nan), where=both > 0))


def macro_f1(truth: Labels, chosen: Labels) -> float:
    """Mean F1 over the classes that are true somewhere; a class that is chosen but never true only costs precision."""
    scores = per_class_f1(truth, chosen, int(max(truth.max(), chosen.max())) + 1)
    return float(scores[np.unique(truth)].mean())


def qwk(truth: Labels, chosen: Labels) -> float:
    """Quadratic weighted kappa (Cohen 1968) of ranks 0, 1, 2, …; 0 when both sides are constant.

    All ranks up to the highest are named: scikit-learn weighs by place, so a rank that no row has would close the gap
    between its neighbours (ranks 0, 1 and 3 as 0, 1 and 2: 0.82 for 0.92 in one sample of nine).
    """
    both = np.concatenate([truth, chosen])
    if len(np.unique(both)) < 2:
        return 0.0
    return float(cohen_kappa_score(truth, chosen, weights="quadratic", labels=np.arange(both.max() + 1)))


def under_grading_rate(truth: Labels, chosen: Labels) -> float:
    """Of the rows of rank >= 3, the share that is graded 0 or 1; nan without such rows."""
    severe = truth >= SEVERE
    return float((chosen[severe] <= MISSED).mean()) if severe.any() else float("nan")


def recall_from(rank: int) -> Callable[[Labels, Labels], float]:
    """The metric: of the rows of `rank` or above, the share that is graded so; nan without such rows."""

    def recall(truth: Labels, chosen: Labels) -> float:
        rows = truth >= rank
        return float((chosen[rows] >= rank).mean()) if rows.any() else float("nan")

    return recall


def false_alarm_rate(truth: Labels, chosen: Labels) -> float:
    """Of the rows of rank 0, the share that is graded 2 or more; nan without such rows."""
    calm = truth == 0
    return float((chosen[calm] >= ALARM).mean()) if calm.any() else float("nan")


def confusion(truth: Labels, chosen: Labels, classes: int) -> NDArray[np.int64]:
    """Counts, rows = truth: [classes, classes]."""
    return np.bincount(truth * classes + chosen, minlength=classes**2).reshape(classes, classes)


def log_loss(probabilities: Floats, truth: Labels) -> float:
    """Mean negative log probability of the true class; probabilities [n, classes], at least 1e-12 each."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean())


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose top probability is about the same: how many, how sure the model is of them, how often it is right."""

    rows: int
    confidence: float
    accuracy: float


def _top(probabilities: Floats, truth: Labels, bins: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Probability of the top class, whether it is right, and the equal-width bin: [n] each."""
    confidence = probabilities.max(1)
    right = (probabilities.argmax(1) == truth).astype(float)
    return confidence, right, np.minimum((confidence * bins).astype(int), bins - 1)


def reliability(probabilities: Floats, truth: Labels, bins: int = 15) -> list[Bin]:
    """The bins that `ece` sums over, without the empty ones, from unsure to sure."""
    confidence, right, of = _top(probabilities, truth, bins)
    return [
        Bin(int(rows.sum()), float(confidence[rows].mean()), float(right[rows].mean()))
        for rows in (of == number for number in np.unique(of))
    ]


def _gap(confidence: Floats, right: Floats, bins: NDArray[np.int64]) -> float:
    sizes = np.bincount(bins)
    gaps = np.abs(np.bincount(bins, confidence) - np.bincount(bins, right))
    return float(gaps.sum() / sizes.sum())


def ece(probabilities: Floats, truth: Labels, bins: int = 15) -> float:
    """Expected calibration error of the top class (Guo et al. 2017), equal-width bins; probabilities [n, classes]."""
    return _gap(*_top(probabilities, truth, bins))


def binary_ece(truth: Labels, probability: Floats, bins: int = 15) -> float:
    """Expected calibration error of a probability of an event, equal-count bins (events are rare): [n], [n]."""
    rank = np.searchsorted(np.sort(probability), probability)  # equal probabilities share a bin, whatever their order
    return _gap(probability, truth.astype(float), rank * bins // len(rank))


def auroc(truth: Labels, score: Floats) -> float:
    """Area under the ROC curve; nan when only one class is present."""
    return float(roc_auc_score(truth, score)) if 0 < truth.mean() < 1 else float("nan")


def auprc(truth: Labels, score: Floats) -> float:
    """Average precision; nan without events."""
    return float(average_precision_score(truth, score)) if truth.any() else float("nan")


def brier_skill_score(truth: Labels, probability: Floats) -> float:
    """1 - Brier / Brier of always saying the prevalence of these very rows; nan when only one class is present."""
    prevalence = truth.mean()
    if not 0 < prevalence < 1:
        return float("nan")
    return float(1 - brier_score_loss(truth, probability) / (prevalence * (1 - prevalence)))


def recall_at_false_positive_rate(truth: Labels, score: Floats, rate: float = 0.05) -> float:
    """Recall at the lowest threshold whose false-positive rate is within `rate`; nan when one class is absent."""
    if not 0 < truth.mean() < 1:
        return float("nan")
    calm = np.sort(score[truth == 0])[::-1]
    limit = calm[min(int(rate * len(calm)), len(calm) - 1)]
    return float((score[truth == 1] > limit).mean())

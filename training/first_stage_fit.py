"""Fit the first stage on a validation part: the second reader alone, against what the whole model says of a post."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from models.calibration import FirstStage
from models.probabilities import Array, category_probabilities
from models.text import TextPredictions
from training.metrics import ALARM, log_loss

LOST = 0.002  # share of the posts that the whole model grades ALARM or higher which may be settled as none
LEAST_FLOOR = 0.5  # below, none would not be the surest answer
FOLDS = 10
PULL = 0.1  # inverse strength of the ridge on the weights; 0.03 to 0.3 settle the same posts but for a few

Labels = NDArray[np.int64]


def fit_first_stage(
    lexical_logits: NDArray[np.floating], category: Labels, rank: Labels, whole: TextPredictions
) -> FirstStage:
    """Logits [n, categories] and labels [n] of a validation part, and what the whole model says of it.

    The weights give P(none) of the whole model from what the second reader thinks of every category. The floor is the
    lowest at which at most LOST of the posts that the whole model finds severe are settled, by weights that have not
    seen the post. (A severe post that both readers take for none is lost with and without a first stage.)
    """
    found = minimize_scalar(
        lambda t: log_loss(category_probabilities(lexical_logits, np.exp(t)), category),
        bounds=(-3, 3),
        method="bounded",
    )
    thoughts, none = log_softmax(np.asarray(lexical_logits, np.float64), axis=1), whole.category[:, 0]
    severe = np.sort(_unseen(thoughts, none)[whole.rank >= ALARM])[::-1]
    allowed = int(LOST * len(severe))
    floor = float(np.nextafter(severe[allowed], 1.0)) if len(severe) else 1.0  # nothing known, nothing settled
    line = _line(thoughts, none)
    return FirstStage(
        floor=max(floor, LEAST_FLOOR),
        temperature=float(np.exp(found.x)),
        severity_logits=rank_logits(rank, whole.severity.shape[1]),
        none_weights=(*line.coef_[0].tolist(), float(line.intercept_[0])),
    )


def _line(thoughts: Array, none: Array) -> LogisticRegression:
    """Log-odds of none from log-probabilities [n, categories]; a post is told as none and as a crisis, by P(none)."""
    told, sides = np.concatenate([thoughts, thoughts]), np.repeat([1, 0], len(none))
    return LogisticRegression(C=PULL, max_iter=1_000).fit(told, sides, np.concatenate([none, 1 - none]))


def _unseen(thoughts: Array, none: Array) -> Array:
    """P(none) of each post by a line that the other posts have taught: [n]."""
    found = np.empty(len(none))
    for known, rest in KFold(min(FOLDS, len(none)), shuffle=True, random_state=0).split(thoughts):
        found[rest] = _line(thoughts[known], none[known]).predict_proba(thoughts[rest])[:, 1]
    return found


def rank_logits(rank: Labels, ranks: int) -> tuple[float, ...]:
    """Continuation logits of the shares of the ranks among crises; each rank counts once more than it is there."""
    counts = np.bincount(rank[rank > 0], minlength=ranks)[1:] + 1
    above = counts[::-1].cumsum()[::-1]  # of rank k or more, k = 1, 2, …
    return tuple(np.log(above[1:] / counts[:-1]).tolist())

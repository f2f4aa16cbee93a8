"""From logits to probabilities, the same for training, evaluation and serving (numpy only)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

Array = NDArray[np.float64]
TINY = 1e-12
# Weight of a doubtful rank in `confidence`. The least sure 15 % of the validation part hold 0.50 of the wrong
# categories and 0.43 of all errors there; with 1 it is 0.47 and 0.43, with 0 it is 0.49 and 0.41.
RANK_POWER = 0.5


def category_probabilities(logits: NDArray[np.floating], temperature: float = 1.0) -> Array:
    """Softmax over the taxonomy: [n, categories]."""
    return np.asarray(softmax(np.asarray(logits, np.float64) / temperature, axis=1))


def severity_probabilities(none: Array, logits: NDArray[np.floating], temperature: float = 1.0) -> Array:
    """P(rank) [n, ranks] from P(none) [n] and the continuation logits [n, ranks - 2].

    P(rank > 0) = 1 - P(none); P(rank > k+1) = P(rank > k) * sigmoid(logit k / temperature).
    """
    steps = expit(np.asarray(logits, np.float64) / temperature)
    above = np.cumprod(np.column_stack([1 - none, steps]), axis=1)  # P(rank > 0), P(rank > 1), …
    edges = np.column_stack([np.ones(len(none)), above, np.zeros(len(none))])
    return np.asarray(edges[:, :-1] - edges[:, 1:])


def cost_of_missing(severity: Array, miss_cost: float, by_rank: bool) -> Array:
    """What taking a crisis for none costs, a false alarm being 1: [n].

    With `by_rank` it is in proportion to the rank that is expected if there is a crisis, and miss_cost that of rank 2.
    """
    if not by_rank:
        return np.full(len(severity), miss_cost)
    crisis = np.maximum(1 - severity[:, 0], TINY)
    expected = severity[:, 1:] @ np.arange(1.0, severity.shape[1]) / crisis
    return np.asarray(miss_cost * np.maximum(expected, 1) / 2)


def decide(
    category: Array, severity: Array, under_cost: float = 1.0, miss_cost: float = 1.0, miss_by_rank: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Decide category and rank so that none <=> rank 0.

    The category is the most probable crisis, unless none is at least as many times as probable as missing it costs
    (see cost_of_missing). The rank of a crisis is the lowest rank r >= 1 with P(rank > r | crisis) <=
    1 / (1 + under_cost): the median for cost 1, higher when grading too low costs more.
    """
    missing = cost_of_missing(severity, miss_cost, miss_by_rank)
    chosen = np.column_stack([category[:, 0] / missing, category[:, 1:]]).argmax(axis=1)
    crisis = np.maximum(1 - severity[:, 0], TINY)
    above = 1 - np.cumsum(severity, axis=1)[:, 1:]
    ranks = 1 + (above / crisis[:, None] > 1 / (1 + under_cost) + TINY).sum(axis=1)
    return chosen, np.where(chosen == 0, 0, ranks)


def likeliest(probabilities: Array, mass: float) -> NDArray[np.bool_]:
    """The likeliest of each row that together have at least `mass`, or all: [n, categories]."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    before = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    before = np.column_stack([np.zeros(len(order)), before[:, :-1]])
    found = np.empty(probabilities.shape, bool)
    np.put_along_axis(found, order, before < mass, axis=1)
    return found


def confidence(category: Array, severity: Array, chosen: NDArray[np.int64], rank: NDArray[np.int64]) -> Array:
    """How sure the decisions of n rows are, 0 to 1: P(category) * P(rank | crisis) ** RANK_POWER, or P(none): [n]."""
    rows = np.arange(len(chosen))
    graded = severity[rows, rank] / np.maximum(1 - category[:, 0], TINY)
    return np.asarray(category[rows, chosen] * np.where(chosen == 0, 1.0, graded) ** RANK_POWER)

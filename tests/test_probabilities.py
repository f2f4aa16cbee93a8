"""Laws of the probabilities and of the decision."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.probabilities import category_probabilities, confidence, cost_of_missing, decide, severity_probabilities

floats = st.floats(-12, 12)
category_logits = arrays(np.float64, (5, 17), elements=floats)
severity_logits = arrays(np.float64, (5, 3), elements=floats)
costs = st.floats(1, 5)


def both(category: np.ndarray, severity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities = category_probabilities(category)
    return probabilities, severity_probabilities(probabilities[:, 0], severity)


@given(category_logits, severity_logits)
def test_probabilities_sum_to_one_and_share_none(category: np.ndarray, severity: np.ndarray) -> None:
    probabilities, ranks = both(category, severity)
    assert np.allclose(probabilities.sum(1), 1)
    assert np.allclose(ranks.sum(1), 1)
    assert np.allclose(ranks[:, 0], probabilities[:, 0])
    assert (ranks >= -1e-12).all()


@given(category_logits, severity_logits, costs)
def test_none_if_and_only_if_rank_zero(category: np.ndarray, severity: np.ndarray, cost: float) -> None:
    chosen, rank = decide(*both(category, severity), cost)
    assert ((chosen == 0) == (rank == 0)).all()
    assert rank.max() <= 4


@given(category_logits, severity_logits, costs)
def test_a_higher_cost_never_grades_lower(category: np.ndarray, severity: np.ndarray, cost: float) -> None:
    low, high = (decide(*both(category, severity), c)[1] for c in (1.0, cost))
    assert (high >= low).all()


def test_golden_example_by_hand() -> None:
    # P(none) = 0.2; P(>1 | >0) = 0.5; P(>2 | >1) = 0.5; P(>3 | >2) = 0.5
    ranks = severity_probabilities(np.array([0.2]), np.zeros((1, 3)))
    assert np.allclose(ranks, [[0.2, 0.4, 0.2, 0.1, 0.1]])
    category = np.full((1, 17), 0.0)
    category[0, :2] = 0.2, 0.8
    assert decide(category, ranks, 1.0)[1] == 1  # P(rank > 1 | crisis) = 0.5 is not above 1/2
    assert decide(category, ranks, 1.5)[1] == 2  # 0.5 > 0.4, 0.25 is not


def test_a_rank_at_the_median_is_high_enough_though_the_sum_is_rounded() -> None:
    # P(rank > 1 | crisis) = 0.5 for both; in floats the second is 1 - 0.7 over 0.6, which is 0.5 and 1e-16
    ranks = severity_probabilities(np.array([0.2, 0.4]), np.zeros((2, 3)))
    above = 1 - ranks[:, :2].sum(axis=1)
    assert (above / (1 - ranks[:, 0]) > 0.5).tolist() == [False, True]
    assert decide(np.array([[0.2, 0.8], [0.4, 0.6]]), ranks)[1].tolist() == [1, 1]


def test_a_missed_crisis_costs_in_proportion_to_its_expected_rank() -> None:
    ranks = np.array([[0.6, 0.4, 0, 0, 0], [0.6, 0.2, 0.2, 0, 0], [0.6, 0, 0, 0, 0.4]])
    assert np.allclose(cost_of_missing(ranks, 1.5, by_rank=True), [0.75, 1.125, 3.0])
    assert np.allclose(cost_of_missing(ranks, 1.5, by_rank=False), 1.5)
    category = np.array([[0.6, 0.4]] * 3)
    assert decide(category, ranks, miss_cost=1.3, miss_by_rank=True)[0].tolist() == [0, 0, 1]
    assert decide(category, ranks, miss_cost=1.6)[0].tolist() == [1, 1, 1]


def test_a_sure_none_stays_none_whatever_its_rank_would_be() -> None:
    chosen, rank = decide(np.array([[1.0, 0.0]]), np.array([[1.0, 0, 0, 0, 0]]), miss_cost=2.0, miss_by_rank=True)
    assert (chosen[0], rank[0]) == (0, 0)


@given(category_logits, severity_logits, costs)
def test_confidence_is_a_share_that_no_doubt_of_the_rank_can_raise(
    category: np.ndarray, severity: np.ndarray, cost: float
) -> None:
    probabilities, ranks = both(category, severity)
    chosen, rank = decide(probabilities, ranks, cost)
    sure = confidence(probabilities, ranks, chosen, rank)
    of_category = probabilities[np.arange(5), chosen]
    assert (sure >= 0).all()
    assert (sure <= of_category * (1 + 1e-9)).all()
    assert np.allclose(sure[chosen == 0], of_category[chosen == 0])


def test_confidence_by_hand() -> None:
    category = np.array([[0.2, 0.8], [0.9, 0.1]])
    ranks = np.array([[0.2, 0.6, 0.2], [0.9, 0.05, 0.05]])
    # P(rank 1 | crisis) = 0.6 / 0.8; the second row is none, whatever rank a crisis would have
    assert np.allclose(confidence(category, ranks, np.array([1, 0]), np.array([1, 0])), [0.8 * 0.75**0.5, 0.9])

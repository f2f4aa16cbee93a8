"""Laws of the figures: values worked out by hand, agreement with scikit-learn, and what must not change them."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, f1_score, roc_auc_score

from training import metrics

N = 40
ranks = arrays(np.int64, N, elements=st.integers(0, 4))
events = arrays(np.int64, N, elements=st.integers(0, 1))
scores = arrays(np.float64, N, elements=st.integers(0, 20).map(lambda x: x / 20))  # with ties
orders = st.permutations(range(N)).map(np.array)

TRUTH = np.array([0, 0, 1, 2, 3, 4, 3, 4])
CHOSEN = np.array([0, 2, 1, 1, 3, 1, 0, 3])

SEVERE_RECALL = metrics.recall_from(metrics.SEVERE)
ORDINAL = (metrics.accuracy, metrics.macro_f1, metrics.qwk, metrics.under_grading_rate, SEVERE_RECALL)
BINARY = (
    metrics.auroc,
    metrics.auprc,
    metrics.brier_skill_score,
    metrics.binary_ece,
    metrics.recall_at_false_positive_rate,
)


def test_ordinal_figures_by_hand() -> None:
    assert metrics.accuracy(TRUTH, CHOSEN) == 3 / 8
    assert metrics.under_grading_rate(TRUTH, CHOSEN) == 2 / 4
    assert SEVERE_RECALL(TRUTH, CHOSEN) == 2 / 4
    assert metrics.recall_from(metrics.ALARM)(TRUTH, CHOSEN) == 2 / 5
    assert metrics.false_alarm_rate(TRUTH, CHOSEN) == 1 / 2
    second = np.array([-1, 0, -1, -1, -1, 1, -1, -1])
    assert metrics.accuracy_with_second(TRUTH, np.full(8, -1), CHOSEN) == 3 / 8
    assert metrics.accuracy_with_second(TRUTH, second, CHOSEN) == 4 / 8


def test_f1_by_hand() -> None:
    truth, chosen = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 3])
    f1 = metrics.per_class_f1(truth, chosen, 4)
    assert np.allclose(f1, [2 / 3, 1 / 2, np.nan, 0], equal_nan=True)
    assert metrics.macro_f1(truth, chosen) == pytest.approx((2 / 3 + 1 / 2) / 2)  # class 3 is never true


def test_confusion_has_truth_in_its_rows() -> None:
    assert metrics.confusion(np.array([0, 0, 1]), np.array([1, 0, 1]), 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_qwk_by_hand_and_at_its_ends() -> None:
    truth, chosen = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert metrics.qwk(truth, chosen) == pytest.approx(0.0)  # no better than chance
    assert metrics.qwk(TRUTH, TRUTH) == 1.0
    assert metrics.qwk(np.array([0, 4]), np.array([4, 0])) == pytest.approx(-1.0)
    assert metrics.qwk(np.zeros(5, int), np.zeros(5, int)) == 0.0


def test_qwk_keeps_the_gap_that_an_absent_rank_leaves() -> None:
    truth, chosen = np.array([0, 0, 0, 1, 1, 3, 3, 0, 1]), np.array([0, 0, 1, 1, 0, 3, 3, 0, 1])
    observed, expected = 2 / 9, np.mean([(one - other) ** 2 for one in truth for other in chosen])
    assert metrics.qwk(truth, chosen) == pytest.approx(1 - observed / expected)


def test_calibration_errors_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    # bin of 0.9: |0.9 - 1/2| * 2, bin of 0.6: |0.6 - 1|, bin of 0.8: |0.8 - 0|
    assert metrics.ece(probabilities, np.array([0, 1, 1, 0])) == pytest.approx((0.8 + 0.4 + 0.8) / 4)
    # 0.55 and 0.7 lie in the same quarter: |1.25 - 1|
    assert metrics.ece(np.array([[0.55, 0.45], [0.7, 0.3]]), np.array([0, 1]), bins=4) == pytest.approx(0.25 / 2)
    truth, probability = np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.6, 0.7])
    # two bins of two rows: |0.3 - 1| and |1.3 - 1|
    assert metrics.binary_ece(truth, probability, bins=2) == pytest.approx((0.7 + 0.3) / 4)


def test_event_figures_by_hand() -> None:
    truth, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert metrics.auroc(truth, score) == 0.75
    assert metrics.auprc(truth, score) == pytest.approx((1 + 2 / 3) / 2)
    brier = (0.01 + 0.16 + 0.4225 + 0.04) / 4
    assert metrics.brier_skill_score(truth, score) == pytest.approx(1 - brier / 0.25)
    assert metrics.recall_at_false_positive_rate(truth, score) == 0.5
    assert metrics.recall_at_false_positive_rate(truth, score, rate=0.5) == 1.0


@settings(max_examples=25)
@given(ranks, ranks)
def test_ordinal_figures_agree_with_scikit_learn(truth: np.ndarray, chosen: np.ndarray) -> None:
    present = np.unique(truth)
    expected = f1_score(truth, chosen, labels=present, average="macro", zero_division=0)
    assert metrics.macro_f1(truth, chosen) == pytest.approx(expected)
    if len(np.unique([truth, chosen])) > 1:
        assert metrics.qwk(truth, chosen) == pytest.approx(
            cohen_kappa_score(truth, chosen, weights="quadratic", labels=np.arange(5))
        )


@settings(max_examples=25)
@given(events, scores)
def test_event_figures_agree_with_scikit_learn(truth: np.ndarray, score: np.ndarray) -> None:
    if 0 < truth.mean() < 1:
        assert metrics.auroc(truth, score) == pytest.approx(roc_auc_score(truth, score))
        assert metrics.auprc(truth, score) == pytest.approx(average_precision_score(truth, score))
        always = brier_score_loss(truth, np.full(N, truth.mean()))
        assert metrics.brier_skill_score(truth, score) == pytest.approx(1 - brier_score_loss(truth, score) / always)


@settings(max_examples=25)
@given(ranks, ranks, orders)
def test_the_order_of_rows_does_not_matter_to_grades(truth: np.ndarray, chosen: np.ndarray, order: np.ndarray) -> None:
    for figure in (*ORDINAL, metrics.false_alarm_rate):
        assert figure(truth[order], chosen[order]) == pytest.approx(figure(truth, chosen), nan_ok=True)


@settings(max_examples=25)
@given(events, scores, orders)
def test_the_order_of_rows_does_not_matter_to_likelihoods(
    truth: np.ndarray, score: np.ndarray, order: np.ndarray
) -> None:
    for figure in BINARY:
        assert figure(truth[order], score[order]) == pytest.approx(figure(truth, score), nan_ok=True)


@settings(max_examples=25)
@given(events, scores)
def test_ranking_figures_ignore_a_rising_transformation(truth: np.ndarray, score: np.ndarray) -> None:
    for figure in (metrics.auroc, metrics.auprc, metrics.recall_at_false_positive_rate):
        assert figure(truth, np.exp(3 * score) - 7) == pytest.approx(figure(truth, score), nan_ok=True)
    assert metrics.auroc(truth, -score) == pytest.approx(1 - metrics.auroc(truth, score), nan_ok=True)


@settings(max_examples=25)
@given(events, scores, st.integers(0, 179).map(lambda x: (2 * x + 1) / 400))
def test_the_false_positive_rate_is_kept_to_and_used_up(truth: np.ndarray, score: np.ndarray, rate: float) -> None:
    calm, wanted = score[truth == 0], metrics.recall_at_false_positive_rate(truth, score, rate)
    if 0 < truth.mean() < 1:
        limits = [limit for limit in score if (calm > limit).mean() <= rate]
        assert wanted == max((score[truth == 1] > limit).mean() for limit in limits)


@settings(max_examples=25)
@given(events, scores, st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_looser_false_positive_rate_never_costs_recall(
    truth: np.ndarray, score: np.ndarray, one: float, other: float
) -> None:
    low, high = (metrics.recall_at_false_positive_rate(truth, score, rate) for rate in sorted((one, other)))
    assert low <= high or isnan(low)


@given(events)
def test_the_prevalence_itself_is_calibrated_and_has_no_skill(truth: np.ndarray) -> None:
    always = np.full(N, truth.mean())
    assert metrics.binary_ece(truth, always) == pytest.approx(0)
    if 0 < truth.mean() < 1:
        assert metrics.brier_skill_score(truth, always) == pytest.approx(0)


@settings(max_examples=25)
@given(events, scores)
def test_calibration_errors_are_shares(truth: np.ndarray, score: np.ndarray) -> None:
    assert 0 <= metrics.binary_ece(truth, score) <= 1
    assert 0 <= metrics.ece(np.column_stack([1 - score, score]), truth) <= 1


@given(ranks)
def test_a_perfect_answer_has_perfect_figures(truth: np.ndarray) -> None:
    assert metrics.accuracy(truth, truth) == metrics.macro_f1(truth, truth) == 1
    certain = np.eye(5)[truth]
    assert metrics.ece(certain, truth) == 0
    if 3 in truth:
        assert (metrics.under_grading_rate(truth, truth), SEVERE_RECALL(truth, truth)) == (0, 1)
    if 0 in truth:
        assert metrics.false_alarm_rate(truth, truth) == 0


@pytest.mark.parametrize("truth", [np.zeros(4, int), np.ones(4, int)])
def test_figures_that_are_not_defined_are_nan_and_warn_nobody(truth: np.ndarray) -> None:
    score = np.array([0.1, 0.2, 0.3, 0.4])
    for figure in (metrics.auroc, metrics.brier_skill_score, metrics.recall_at_false_positive_rate):
        assert isnan(figure(truth, score))
    assert isnan(metrics.auprc(np.zeros(4, int), score))
    assert isnan(metrics.under_grading_rate(truth, truth))
    assert isnan(metrics.false_alarm_rate(np.ones(4, int), truth))


def test_log_loss_by_hand_and_for_a_sure_error() -> None:
    probabilities = np.array([[0.5, 0.5], [0.9, 0.1]])
    assert metrics.log_loss(probabilities, np.array([0, 1])) == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)
    assert metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-12))


@given(st.integers(0, 9), st.integers(1, 20))
def test_the_reliability_curve_is_what_ece_sums_over(seed: int, bins: int) -> None:
    random = np.random.default_rng(seed)
    probabilities, truth = random.dirichlet(np.ones(4), 50), random.integers(0, 4, 50)
    curve = metrics.reliability(probabilities, truth, bins)
    assert sum(one.rows for one in curve) == 50
    assert [one.confidence for one in curve] == sorted(one.confidence for one in curve)
    gaps = sum(one.rows * abs(one.confidence - one.accuracy) for one in curve)
    assert metrics.ece(probabilities, truth, bins) == pytest.approx(gaps / 50)

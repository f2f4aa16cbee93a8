"""Macro-F1 under resampling: the same classes in every draw, the point within its interval, intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.bootstrap import interval
from training.metrics import accuracy, macro_f1
from training.robustness import paired_loss
from training.steady_f1 import steady, steady_macro_f1

ranks = arrays(np.int64, 40, elements=st.integers(0, 4))
RARE = np.array([0] * 40 + [1, 2, 3])  # three classes of one row each
MISSED = np.zeros_like(RARE)


@settings(max_examples=25)
@given(ranks, ranks)
def test_on_the_whole_sample_it_is_macro_f1(truth: np.ndarray, chosen: np.ndarray) -> None:
    assert steady_macro_f1(truth, chosen)(truth, chosen) == macro_f1(truth, chosen)


def test_a_draw_that_lacks_a_class_does_not_get_rid_of_it() -> None:
    draw = np.zeros(20, int)
    assert macro_f1(draw, draw) == 1  # as if there were no other class
    found = [steady_macro_f1(RARE, MISSED)(draw, draw) for _ in range(3)]
    assert found[0] == found[1] == found[2]  # the same unknown values for everybody
    assert 0.25 < found[0] < 1


def test_the_interval_of_rare_classes_holds_the_point_and_not_what_only_the_common_class_says() -> None:
    found = interval(steady_macro_f1(RARE, MISSED), RARE, MISSED, n=300)
    assert found.value == macro_f1(RARE, MISSED) == pytest.approx(0.24, abs=0.01)
    assert found.low <= found.value <= found.high < 0.75
    assert interval(macro_f1, RARE, MISSED, n=300).high > 0.95


def test_intervals_of_samples_with_rare_classes_cover() -> None:
    """Nine classes, four of them of two rows or fewer on average; what covers less often is told in the module."""
    random, shares = np.random.default_rng(0), np.array([0.55, 0.15, 0.1, 0.08, 0.05, 0.03, 0.02, 0.01, 0.01])
    right = 0.9
    joint = (1 - right) * np.outer(shares, shares) + right * np.diag(shares)
    f1 = 2 * np.diag(joint) / (joint.sum(0) + joint.sum(1))
    covered = []
    for _ in range(80):
        cells = random.choice(81, 80, p=joint.ravel())
        truth, chosen = cells // 9, cells % 9
        found = interval(steady_macro_f1(truth, chosen), truth, chosen, n=100)
        covered.append(found.low <= f1[np.unique(truth)].mean() <= found.high)
        assert found.low <= found.value <= found.high
    assert np.mean(covered) > 0.85


def test_equal_answers_differ_in_nothing_and_other_metrics_are_left_alone() -> None:
    assert paired_loss(macro_f1, RARE, MISSED, MISSED.copy(), np.arange(len(RARE)), 50) == [0, 0, 0]
    assert steady(accuracy, RARE, MISSED) is accuracy

"""Laws of the blend: both parts count, what is missing is answered, a new sigmoid changes the level and no order."""

from __future__ import annotations

import numpy as np
import pytest
from self_exciting import CONFIG, model, trained

from training.escalation_blend import blend, logistic, near_trees, recalibrated, told_twice, trees
from training.metrics import auroc, binary_ece


def test_both_parts_have_a_weight() -> None:
    weights = model().main.estimator.estimator.final_estimator_.coef_[0]
    assert weights.shape == (2,)
    assert weights.sum() > 0


def test_missing_values_are_answered() -> None:
    rows = trained()[3].features[:50].copy()
    rows[:, ::3] = np.nan
    answers = model().main.predict_proba(rows)[:, 1]
    assert ((answers > 0) & (answers < 1)).all()


def test_the_line_reads_no_value_beyond_training() -> None:
    _, _, where, table = trained()
    line = logistic().fit(table.features[where.fit], table.labels[where.fit])
    largest = np.nanmax(table.features[where.fit], axis=0)
    far = np.vstack([largest, largest + 1_000])
    np.testing.assert_allclose(*line.predict_proba(far)[:, 1])


def test_a_new_sigmoid_moves_the_level_and_keeps_the_order() -> None:
    _, _, where, table = trained()
    features, labels = table.features[where.test], table.labels[where.test]
    rare = labels * (np.arange(len(labels)) % 3 == 0)  # two of three escalations gone
    before = model().main.predict_proba(features)[:, 1]
    after = recalibrated(model().main, features, rare).predict_proba(features)[:, 1]
    assert after.mean() == pytest.approx(rare.mean(), abs=0.01)
    assert auroc(labels, after) == pytest.approx(auroc(labels, before), abs=1e-9)
    assert binary_ece(rare, after) < binary_ece(rare, before)


def test_the_seed_decides() -> None:
    _, _, where, table = trained()
    early = (table.features[where.fit], table.nearness[where.fit])
    late = (table.features[where.calibration], table.labels[where.calibration])
    first, second = (blend(table.names, early, late, CONFIG).predict_proba(late[0]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_what_came_nearer_teaches_more() -> None:
    rows, labels, weights = told_twice(np.arange(6.0).reshape(3, 2), np.array([0.0, 0.25, 1.0]))
    assert rows.shape == (6, 2)
    assert weights[labels == 1].tolist() == [0.0, 0.25, 1.0]
    np.testing.assert_array_equal(weights[:3] + weights[3:], 1.0)


def test_the_weights_of_near_misses_move_no_bin() -> None:
    _, _, where, table = trained()
    features, nearness = table.features[where.fit], table.nearness[where.fit]
    near = near_trees(trees(table.names, CONFIG), features, nearness)
    plain = trees(table.names, CONFIG).fit(features, table.labels[where.fit])
    for ours, theirs in zip(near._bin_mapper.bin_thresholds_, plain._bin_mapper.bin_thresholds_, strict=True):
        np.testing.assert_allclose(ours, theirs)

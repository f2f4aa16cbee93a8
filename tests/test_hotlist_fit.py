"""Laws of the hot list's blocks and fit: nothing of the test block leaks, noise teaches nothing, weeks look back."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hot_list import CONFIG, model, trained
from rich.console import Console

from data.errors import CorpusError
from data.volume_windows import HORIZON
from models.escalation_head import log_odds
from training.hotlist import measure_hot, require_days, rolling_origins
from training.hotlist_baselines import HOT_SCORES, hot_baselines
from training.hotlist_fit import MONOTONE, WEEK, fit_hot_model, hot_blocks, hour_of, recalibrated
from training.metrics import auroc, binary_ece


def _likelihood() -> np.ndarray:
    decisions, _ = trained()
    return model().probabilities(decisions.features, np.ones(len(decisions.time), bool))


@pytest.mark.parametrize("embargo", [0, 24, 72])
def test_blocks_are_ordered_in_time_with_an_embargo_between(embargo: int) -> None:
    time = trained()[0].time
    where = hot_blocks(time, CONFIG.test_from, CONFIG.test_to, replace(CONFIG, embargo_hours=embargo))
    for earlier, later in ((where.fit, where.calibration), (where.calibration, where.test)):
        assert time[earlier].max() + HORIZON + embargo <= time[later].min()
    assert time[where.test].min() >= hour_of(CONFIG.test_from)
    assert time[where.test].max() < hour_of(CONFIG.test_to)


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert hour_of(date(1970, 1, 2)) == 16


def test_the_model_learns_and_so_does_its_fallback() -> None:
    decisions, where = trained()
    labels = decisions.labels[where.test]
    for main in (True, False):
        likelihood = model().probabilities(decisions.features[where.test], np.full(len(labels), main))
        assert 0.75 < auroc(labels, likelihood) < 0.99
        assert likelihood.mean() == pytest.approx(labels.mean(), abs=0.02)


def test_shuffled_labels_teach_nothing() -> None:
    decisions, where = trained()
    random, found = np.random.default_rng(0), []
    for _ in range(4):
        labels, near = decisions.labels.copy(), decisions.nearness.copy()
        for part in (where.fit, where.calibration):
            order = random.permutation(np.flatnonzero(part))
            labels[part], near[part] = labels[order], near[order]
        noise = fit_hot_model(replace(decisions, labels=labels, nearness=near), where, CONFIG)
        features = decisions.features[where.test]
        found.append(auroc(decisions.labels[where.test], noise.probabilities(features, np.ones(len(features), bool))))
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_the_test_block_teaches_nothing() -> None:
    decisions, where = trained()
    labels, near, features = decisions.labels.copy(), decisions.nearness.copy(), decisions.features.copy()
    labels[where.test], near[where.test], features[where.test] = 1 - labels[where.test], 1 - near[where.test], 7.0
    altered = fit_hot_model(replace(decisions, labels=labels, nearness=near, features=features), where, CONFIG)
    rows, inside = decisions.features[where.test], np.ones(where.test.sum(), bool)
    for domain in (inside, ~inside):
        np.testing.assert_array_equal(altered.probabilities(rows, domain), model().probabilities(rows, domain))


@pytest.mark.parametrize(("name", "sign"), MONOTONE.items())
def test_nearer_faster_or_higher_is_never_less_likely(name: str, sign: int) -> None:
    decisions, where = trained()
    rows = decisions.features[where.test][::10].copy()
    inside = np.ones(len(rows), bool)
    before = model().probabilities(rows, inside)
    rows[:, decisions.names.index(name)] += sign * 0.7
    assert (model().probabilities(rows, inside) >= before - 1e-12).all()


def test_a_weekly_recalibration_reads_only_labels_that_are_known() -> None:
    decisions, where = trained()
    likelihood = _likelihood()
    found = recalibrated(decisions, likelihood, where.test, CONFIG)
    assert ((found > 0) & (found < 1)).all()
    time = decisions.time[where.test]
    first_week = time < time.min() + WEEK
    labels = decisions.labels.copy()
    labels[decisions.time + HORIZON > time.min()] = 1
    again = recalibrated(replace(decisions, labels=labels), likelihood, where.test, CONFIG)
    np.testing.assert_array_equal(again[first_week], found[first_week])
    assert (again[~first_week] > found[~first_week]).any()


def test_a_weekly_recalibration_repairs_a_likelihood_that_is_too_high() -> None:
    decisions, where = trained()
    high = 1 / (1 + np.exp(-(log_odds(_likelihood()) + 2)))
    labels = decisions.labels[where.test]
    repaired = recalibrated(decisions, high, where.test, CONFIG)
    assert binary_ece(labels, repaired) < 0.3 * binary_ece(labels, high[where.test])


def test_baselines_answer_the_test_block_and_the_constant_ranks_nothing() -> None:
    decisions, where = trained()
    answers = hot_baselines(decisions, where)
    assert set(answers) == set(HOT_SCORES)
    for likelihood in answers.values():
        assert likelihood.shape == (where.test.sum(),)
        assert ((likelihood > 0) & (likelihood < 1)).all()
    assert len(set(answers["constant"].round(9))) == 1


def test_a_record_without_discussions_is_measured_without_their_baseline() -> None:
    """Features that nobody gave are left out of the head; its baseline ended a training in a traceback."""
    decisions, where = trained()
    features = decisions.features.copy()
    features[:, [name.startswith("discussions") for name in decisions.names]] = np.nan
    known = replace(decisions, features=features).known(where.fit)
    assert "discussions_gain" not in known.names
    assert set(hot_baselines(known, where)) == {*HOT_SCORES} - {"discussions_per_hour"}


def test_the_report_holds_every_model_slice_and_budget() -> None:
    decisions, where = trained()
    found = measure_hot(model(), decisions, where, CONFIG)
    assert set(found["models"]) == {"model", "recalibrated_weekly", "logistic_regression", *HOT_SCORES}
    assert sum(part["rows"] for part in found["by_month"].values()) == where.test.sum()
    assert set(found["by_appearances"]) <= {"1", "2", "3-6", "7+"}
    recalls = [budget["recall"] for budget in found["by_false_alarms_per_day"].values()]
    assert recalls == sorted(recalls)


def test_rolling_origins_end_before_the_test_block() -> None:
    decisions, _ = trained()
    before = decisions.take(decisions.time < hour_of(CONFIG.test_from))
    told = Console(file=io.StringIO(), width=300)
    folds = rolling_origins(decisions, replace(CONFIG, calibration_days=8), told)
    assert folds == rolling_origins(before, replace(CONFIG, calibration_days=8), told)
    assert [fold["from"] for fold in folds] == ["2024-02-16"]
    assert told.file.getvalue() == ""  # type: ignore[attr-defined]


def test_an_origin_that_the_record_is_too_short_for_is_left_out() -> None:
    told = Console(file=io.StringIO(), width=300)
    assert rolling_origins(trained()[0], replace(CONFIG, calibration_days=60), told) == []
    line = told.file.getvalue()  # type: ignore[attr-defined]
    assert line.startswith("left out the rolling origin at 2024-02-16: the fit block has")


def test_days_that_the_record_does_not_have_are_told_with_those_that_it_has() -> None:
    decisions, _ = trained()
    config = replace(CONFIG, test_from=date(2025, 8, 1), test_to=date(2026, 2, 1))
    where = hot_blocks(decisions.time, config.test_from, config.test_to, config)
    with pytest.raises(CorpusError, match=r"no decision from 2025-08-01 to 2026-02-01.* from 2024-01-0\d to 2024-03"):
        require_days(decisions, where, config)

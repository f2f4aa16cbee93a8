"""The shift simulation: what it learns from is earlier and smaller than what it answers; every model is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from second_kind import busy_kind
from self_exciting import CONFIG, trained

from training.escalation_report import FIGURES
from training.escalation_shift import _report, larger_later, shifts

SHIFT = replace(CONFIG, draws=10)


def test_small_and_early_teach_large_and_late_test() -> None:
    topics, decisions, where, _ = trained()
    moved = larger_later(topics, decisions, where)
    size = np.array([np.nansum(counts) for counts in topics.counts])[decisions.topic]
    learnt = moved.fit | moved.calibration
    assert size[learnt].max() < size[moved.test].min()
    assert decisions.end[learnt].max() < decisions.start[moved.test].min()


@pytest.fixture(scope="module")
def reports() -> dict:  # type: ignore[type-arg]
    topics, decisions, _, _ = trained()
    return dict(shifts(topics, decisions, SHIFT, busy_kind(), 1 - SHIFT.test, 1.0))


def test_every_simulation_reports_every_model_and_figure(reports: dict) -> None:  # type: ignore[type-arg]
    assert set(reports) == {"larger", "other_kind", "kind_met_before"}
    for found in reports.values():
        assert {"as_served", "model", "as_out_of_domain", "trees_alone", "logistic_regression"} < set(found["models"])
        assert all(set(figures) == set(FIGURES) for figures in found["models"].values())
        assert 0 < found["prevalence"] < 1


def test_the_second_kind_can_be_left_out() -> None:
    topics, decisions, _, _ = trained()
    assert set(dict(shifts(topics, decisions, SHIFT, None, 1 - SHIFT.test, 1.0))) == {"larger"}


def test_a_kind_without_later_decisions_simulates_nothing() -> None:
    """A record that ends before `record_until`: there was a traceback after the first fits."""
    topics, decisions, _, _ = trained()
    kind = busy_kind()
    ended = replace(kind, where=replace(kind.where, test=np.zeros_like(kind.where.test)))
    assert set(dict(shifts(topics, decisions, SHIFT, ended, 1 - SHIFT.test, 1.0))) == {"larger"}


def test_an_earlier_half_of_one_kind_teaches_no_sigmoid() -> None:
    _, decisions, where, _ = trained()
    test = decisions.take(where.test)
    early, answers = test.start <= np.median(test.start), {"as_served": np.full(len(test.topic), 0.1)}
    for labels, there in ((np.where(early, 0, 1), False), (np.arange(len(early)) % 2, True)):
        found = _report(answers, labels, test, 10)
        assert ("as_served_recalibrated" in found["models"]) == there
    one = test.take(test.topic == test.topic[0])  # no later half
    found = _report({"as_served": np.full(len(one.topic), 0.1)}, np.arange(len(one.topic)) % 2, one, 10)
    assert "as_served_recalibrated" not in found["models"]


def test_a_kind_met_before_is_answered_better(reports: dict) -> None:  # type: ignore[type-arg]
    unmet, met = (
        reports[name]["models"]["as_served"]["brier_skill_score"][0] for name in ("other_kind", "kind_met_before")
    )
    assert met > unmet

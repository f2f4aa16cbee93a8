"""The shift simulation: what it learns from is earlier and smaller than what it answers; every model is reported."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from second_kind import busy_kind
from self_exciting import CONFIG, topic, trained

from data.errors import CorpusError
from training.decisions import decide_on, topics_of
from training.escalation_kinds import Kind
from training.escalation_report import FIGURES
from training.escalation_shift import Shifts, _report, larger_later, shift_reports, shifts

SHIFT = replace(CONFIG, draws=10, record=None)


def test_small_and_early_teach_large_and_late_test() -> None:
    topics, decisions, where, _ = trained()
    moved = larger_later(topics, decisions, where)
    size = np.array([np.nansum(counts) for counts in topics.counts])[decisions.topic]
    learnt = moved.fit | moved.calibration
    assert size[learnt].max() < size[moved.test].min()
    assert decisions.end[learnt].max() < decisions.start[moved.test].min()


def simulated(other: Kind | None) -> tuple[dict[str, dict], str]:  # type: ignore[type-arg]
    """The reports by name, and what was told."""
    topics, decisions, where, _ = trained()
    told = io.StringIO()
    return dict(shifts(Shifts(topics, decisions, where, SHIFT, other), Console(file=told, width=300))), told.getvalue()


@pytest.fixture(scope="module")
def reports() -> dict:  # type: ignore[type-arg]
    return simulated(busy_kind())[0]


def test_every_simulation_reports_every_model_and_figure(reports: dict) -> None:  # type: ignore[type-arg]
    assert set(reports) == {"larger", "other_kind", "kind_met_before"}
    for found in reports.values():
        assert {"as_served", "model", "fallback", "trees_alone", "logistic_regression"} < set(found["models"])
        assert all(set(figures) == set(FIGURES) for figures in found["models"].values())
        assert 0 < found["prevalence"] < 1


def test_a_kind_without_later_decisions_is_told_and_simulates_nothing() -> None:
    """No second kind, or a record that ends before `record_until`."""
    kind = busy_kind()
    for other in (None, replace(kind, where=replace(kind.where, test=np.zeros_like(kind.where.test)))):
        found, told = simulated(other)
        assert set(found) == {"larger"}
        assert told.count("left out shift ") == 2
        assert "shift other_kind: no decision on record=None from 2025-08-01 on" in told


@pytest.mark.parametrize("topics", [1, 3, 12, 40])
def test_what_too_few_topics_do_not_allow_is_told_with_the_reason(topics: int) -> None:
    """The evaluation went no further."""
    few, told = topics_of([topic(number) for number in range(topics)]), io.StringIO()
    found = dict(shift_reports(few, decide_on(few), SHIFT, Console(file=told, width=300)))
    assert not found
    assert "left out shift larger" in told.getvalue()
    assert "give more topics" in told.getvalue()


def test_a_record_that_is_no_use_costs_only_the_second_kind(tmp_path: Path) -> None:
    topics, decisions, _, _ = trained()
    told = io.StringIO()
    config = replace(SHIFT, record=str(tmp_path / "hot.parquet"))
    with pytest.raises(CorpusError, match=r"hot\.parquet: no such file"):  # it was asked for
        dict(shift_reports(topics, decisions, config, Console(quiet=True)))
    (tmp_path / "hot.parquet").write_bytes(b"no parquet")
    found = dict(shift_reports(topics, decisions, config, Console(file=told, width=300)))
    assert set(found) == {"larger"}
    assert "left out shift, the second kind: " in told.getvalue()
    assert "hot.parquet" in told.getvalue()


def test_an_earlier_half_of_one_kind_teaches_no_sigmoid() -> None:
    _, decisions, where, _ = trained()
    test = decisions.take(where.test)
    early, answers = test.start <= np.median(test.start), {"as_served": np.full(len(test.topic), 0.1)}
    for labels, there in ((np.where(early, 0, 1), False), (np.arange(len(early)) % 2, True)):
        found = _report(answers, labels, test, 10)
        assert ("as_served_recalibrated" in found["models"]) == there
        assert ("as_served_later_half" in found["models"]) == there
    one = test.take(test.topic == test.topic[0])  # no later half
    found = _report({"as_served": np.full(len(one.topic), 0.1)}, np.arange(len(one.topic)) % 2, one, 10)
    assert "as_served_recalibrated" not in found["models"]


def test_a_kind_met_before_is_answered_better(reports: dict) -> None:  # type: ignore[type-arg]
    unmet, met = (
        reports[name]["models"]["as_served"]["brier_skill_score"][0] for name in ("other_kind", "kind_met_before")
    )
    assert met > unmet

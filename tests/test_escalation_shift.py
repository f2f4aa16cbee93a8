"""The shift simulation: what it learns from is earlier and smaller than what it answers; every model is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hot_list import record
from self_exciting import CONFIG, trained

from data.hot_topics import HotList
from training.escalation_report import FIGURES
from training.escalation_shift import hot_decisions, larger_later, read_if_there, shifts

SHIFT = replace(CONFIG, draws=10, shift_topics=300)


def _busy() -> HotList:
    """The tiny list with discussions that only rise."""
    hot, random = record(), np.random.default_rng(3)
    return replace(hot, discussions=np.cumsum(random.poisson(60, len(hot.time)) * random.integers(1, 4, len(hot.time))))


def test_small_and_early_teach_large_and_late_test() -> None:
    topics, decisions, where, _ = trained()
    moved = larger_later(topics, decisions, where)
    size = np.array([np.nansum(counts) for counts in topics.counts])[decisions.topic]
    learnt = moved.fit | moved.calibration
    assert size[learnt].max() < size[moved.test].min()
    assert decisions.end[learnt].max() < decisions.start[moved.test].min()


def test_decisions_on_the_list_are_taken_at_its_snapshots() -> None:
    hot = _busy()
    found = hot_decisions(hot, 300, 0)
    assert len(found.topic)
    assert np.isin(found.end - 6, np.floor(hot.snapshots)).all()
    assert np.isnan(found.windows.authors).any(axis=1).all()


@pytest.fixture(scope="module")
def reports() -> dict:  # type: ignore[type-arg]
    topics, decisions, _, _ = trained()
    return dict(shifts(topics, decisions, SHIFT, _busy(), 1 - SHIFT.test, 1.0))


def test_both_simulations_report_every_model_and_figure(reports: dict) -> None:  # type: ignore[type-arg]
    assert set(reports) == {"larger", "other_kind"}
    for found in reports.values():
        assert {"as_served", "model", "scale_free_fallback", "trees_alone", "logistic_regression"} < set(
            found["models"]
        )
        assert all(set(figures) == set(FIGURES) for figures in found["models"].values())
        assert 0 < found["prevalence"] < 1


def test_the_list_can_be_left_out(reports: dict) -> None:  # type: ignore[type-arg]
    topics, decisions, _, _ = trained()
    alone = dict(shifts(topics, decisions, SHIFT, None, 1 - SHIFT.test, 1.0))
    assert alone == {"larger": reports["larger"]}
    assert read_if_there("nowhere.parquet") is None

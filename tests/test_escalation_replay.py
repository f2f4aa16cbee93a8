"""Laws of the replay: one alert per topic and horizon, a right alert precedes its crossing, budgets are kept."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.policy import Policy
from training.escalation_chart import chart
from training.escalation_replay import Replay, by_level, choose, curve, outcome, raised, thresholds


def _replay(seed: int = 0, topics: int = 60) -> Replay:
    random = np.random.default_rng(seed)
    topic = np.repeat(np.arange(topics), 12)
    time = np.tile(np.arange(12.0), topics) + np.repeat(random.integers(0, 300, topics), 12)
    crossing = np.repeat(np.where(random.random(topics) < 0.4, random.integers(3, 20, topics), np.inf), 12)
    crossing = crossing + np.repeat(time[::12], 12)
    near = np.exp(-np.minimum(crossing - time, 30) / 6)
    return Replay.of(topic, time, np.clip(near * random.random(len(time)), 1e-4, 1), crossing)


def test_by_hand() -> None:
    time = np.array([0.0, 1, 5, 6, 0, 3, 7, 9])
    topic = np.array([1, 1, 1, 1, 2, 2, 2, 2])
    crossing = np.array([np.inf] * 4 + [8.0] * 4)
    replay = Replay.of(topic, time, np.full(8, 0.5), crossing)
    assert len(replay.time) == 7  # the decision after the crossing is gone
    found = outcome(replay, np.ones(7, bool))
    assert (found.alerts, found.right, found.false_alarms) == (4, 1, 3)  # topic 1 at 0 and 6, topic 2 at 0 and 7
    assert (found.crossings, found.caught, found.misses, found.recall) == (1, 1, 0, 1)
    assert found.lead_hours == (5, 5, 5)  # the decision at 3 met the alert of 0
    assert found.precision == 0.25


@given(st.integers(0, 500), st.floats(0, 1))
def test_alerts_keep_their_distance_and_the_books_balance(seed: int, threshold: float) -> None:
    replay = _replay(seed)
    rows = raised(replay, replay.likelihood >= threshold)
    for topic in np.unique(replay.topic[rows]):
        assert (np.diff(replay.time[rows][replay.topic[rows] == topic]) >= 6).all()
    found = outcome(replay, replay.likelihood >= threshold)
    assert found.caught + found.misses == found.crossings
    assert max(found.caught, found.right) <= found.alerts == len(rows)
    assert found.lead_hours is None or 0 < found.lead_hours[0] <= found.lead_hours[2] <= 6


def test_no_alert_catches_nothing() -> None:
    found = outcome(_replay(), np.zeros(len(_replay().time), bool))
    assert (found.alerts, found.caught, found.recall, found.lead_hours) == (0, 0, 0, None)
    assert found.misses == found.crossings > 0


def test_a_higher_level_raises_no_more() -> None:
    levels = [*by_level(_replay(), Policy.load(), None, 0.1).values()]
    assert [level.alerts for level in levels] == sorted((level.alerts for level in levels), reverse=True)
    assert [level.caught for level in levels] == sorted((level.caught for level in levels), reverse=True)
    severe = [*by_level(_replay(), Policy.load(), 4, 0.1).values()]
    assert severe[-1].alerts >= levels[-1].alerts


@pytest.mark.parametrize("budget", [0.05, 0.5, 3.0])
def test_the_budget_is_kept_and_used(budget: float) -> None:
    replay = _replay()
    at = choose(replay, budget)
    assert outcome(replay, replay.likelihood >= at).false_alarms_per_day <= budget
    lower = [t for t in thresholds(replay) if t < at]
    assert all(outcome(replay, replay.likelihood >= t).false_alarms_per_day > budget for t in lower)


def test_dearer_misses_lower_the_threshold() -> None:
    cheap, dear = (choose(_replay(), 1, miss_cost=cost) for cost in (0.5, 50))
    assert dear < cheap


def test_the_picture_is_valid_and_names_the_marks() -> None:
    line = [(found.false_alarms_per_day, found.recall) for _, found in curve(_replay(), thresholds(_replay()))]
    drawn = chart("a < b", line, {"red": (0.0, 0.5), "threshold 0.1": (3.0, 0.8)})
    words = [node.text for node in ElementTree.fromstring(drawn).iter() if node.text]
    assert {"a < b", "red", "threshold 0.1"} <= set(words)
    assert "nan" not in drawn

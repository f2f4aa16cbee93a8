"""Laws of the hot-list decisions: the target by hand, holes teach nothing, training sees what is served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hot_list import Row, hot, record, trained, volume_at

from data.errors import CorpusError
from data.hot_topics import HotList
from data.hotlist import hot_windows_of
from data.hotlist_features import hot_features
from training.hotlist_decisions import decide_hot, first_alarm, nearness, outcomes, windows_at

LINE = 1_000.0


def _with_line(rows: list[Row], until: int = 24, missing: tuple[int, ...] = ()) -> HotList:
    """A list whose line is 1,000, seen every hour at half past by a topic that never moves, but for missing hours."""
    still: list[Row] = [(i + 0.5, "still", 10.0, 50.0) for i in range(until) if i not in missing]
    found = hot([*still, *rows])
    return replace(found, line=np.full(len(found.time), LINE))


def _rows(heat: list[float | None], title: str = "a") -> list[Row]:
    return [(i + 0.5, title, value, 1.0) for i, value in enumerate(heat) if value is not None]


def _labels(topics: HotList) -> dict[int, int]:
    """Hour of each decision of the topic that moves, and its label."""
    rows, labels = outcomes(topics)
    moving = topics.heat[rows] != 10.0
    start = topics.snapshots.min()
    return dict(zip(np.round(topics.time[rows] - start).astype(int)[moving].tolist(), labels[moving], strict=True))


def test_the_target_by_hand() -> None:
    # the line is reached at hour 7: hours 1-6 are within 6 h of it, and nothing is asked from then on
    heat = [100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 1_000.0, 900.0, 100.0]
    assert _labels(_with_line(_rows(heat))) == {0: 0, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}


def test_leaving_the_list_is_being_below_the_line() -> None:
    assert _labels(_with_line(_rows([100.0, 999.0]))) == {0: 0, 1: 0}
    assert _labels(_with_line(_rows([100.0, None, None, 1_500.0]))) == {0: 1}


def test_nearness_is_of_the_next_six_hours_alone_and_agrees_with_the_label() -> None:
    topics = _with_line(_rows([900.0, 100.0, 500.0, 999.0, 200.0, *[300.0] * 5, 1_200.0]))
    rows, labels = outcomes(topics)
    moving = topics.heat[rows] != 10.0
    near = nearness(topics, rows)[moving]
    highest = np.array([999, 999, 999, 300, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200]) / LINE
    np.testing.assert_allclose(near, highest**8 / (1 + highest**8))
    assert ((near >= 0.5) == labels[moving]).all()


def test_a_topic_in_alarm_from_the_start_gives_no_decision() -> None:
    assert _labels(_with_line(_rows([1_000.0, 500.0, 2_000.0]))) == {}


def test_after_a_gap_of_over_six_hours_a_topic_begins_anew() -> None:
    heat = [1_500.0, *[None] * 6, 200.0, 1_200.0]
    assert _labels(_with_line(_rows(heat))) == {7: 1}
    assert _labels(_with_line(_rows([100.0, *[None] * 6, 1_200.0]))) == {0: 0}


def test_a_hole_in_the_record_leaves_the_window_out_whatever_it_seems_to_say() -> None:
    heat = [100.0, 200.0, 300.0, None, None, None, 900.0, 1_100.0]
    usual = _labels(_with_line(_rows(heat), missing=(3, 4)))
    assert usual[2] == 1
    assert _labels(_with_line(_rows(heat), missing=(3, 4, 5))) == {6: 1}
    assert _labels(_with_line(_rows([100.0] * 3), missing=(3, 4, 5, 6))) == {}


def test_the_end_of_the_record_leaves_the_window_out() -> None:
    assert set(_labels(_with_line(_rows([100.0] * 12), until=12))) == set(range(6))


def test_a_crossing_first_seen_after_a_blind_end_of_the_window_is_left_out() -> None:
    heat = [100.0, 100.0, 100.0, None, None, None, None, None, 1_200.0]
    assert _labels(_with_line(_rows(heat), missing=(6, 7))) == {0: 0, 2: 1}


def test_without_a_line_there_is_no_decision() -> None:
    topics = _with_line(_rows([100.0, 200.0, 1_500.0]))
    unknown = replace(topics, line=np.where(topics.heat == 100.0, np.nan, topics.line))
    assert _labels(unknown) == {}
    with pytest.raises(CorpusError, match="84 snapshots"):
        decide_hot(replace(topics, line=np.full(len(topics.line), np.nan)))


def test_no_decision_is_taken_in_or_after_an_alarm() -> None:
    topics = record()
    rows, labels = outcomes(topics)
    assert (topics.heat[rows] < topics.line[rows]).all()
    assert (topics.time[rows] < first_alarm(topics)[rows]).all()
    assert 0.01 < labels.mean() < 0.2


def test_serving_sees_what_training_saw() -> None:
    topics = record()
    rows = outcomes(topics)[0][::50]
    trained_on = hot_features(windows_at(topics, rows))
    served = hot_features(hot_windows_of([volume_at(topics, int(row)) for row in rows]))
    assert len(rows) > 200
    for name, values in trained_on.items():
        np.testing.assert_allclose(served[name], values, rtol=1e-9, atol=3e-4, err_msg=name)  # as_of is whole seconds


def test_the_future_changes_no_feature() -> None:
    whole, decisions = record(), trained()[0]
    now = float(np.quantile(whole.time, 0.6))
    early = decide_hot(replace(whole.take(whole.time <= now), snapshots=whole.snapshots[whole.snapshots <= now]))
    assert len(early.time) > 1_000
    same = np.isin(decisions.time, early.time)
    np.testing.assert_array_equal(early.features, decisions.features[same][: len(early.time)])


def test_decisions_are_in_order_of_time_and_unknown_features_can_be_left_out() -> None:
    decisions = trained()[0]
    assert (np.diff(decisions.time) >= 0).all()
    features = decisions.features.copy()
    features[:, decisions.names.index("reads_log")] = np.nan
    rows = np.ones(len(features), bool)
    assert set(decisions.names) - set(replace(decisions, features=features).known(rows).names) == {"reads_log"}
    assert decisions.known(rows) is decisions

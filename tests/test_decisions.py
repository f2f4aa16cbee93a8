"""Laws of the decisions: at which hours there is one, what its target is, and what the unknown does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.errors import CorpusError
from data.records import Series
from data.volume_windows import ZONE
from training.decisions import TIMES, Decisions, decide_on, topics_of

START = datetime(2024, 5, 1, 8, tzinfo=ZONE)
FLAT = np.full(24, 1 / 24)


def _series(*counts: float | None, minutes: int = 60, start: datetime = START, topic: str = "t") -> Series:
    return Series(topic_id=topic, start=start, interval_minutes=minutes, counts=counts)


def _decide(*counts: float | None) -> Decisions:
    return decide_on(topics_of([_series(*counts)]))


def test_golden_example() -> None:
    # 5 posts an hour, then 20 in the 13th, then none: decisions while 6 hours lie ahead, from 20 posts on
    decisions = _decide(*[5] * 12, 20, *[0] * 5)
    assert decisions.windows.length.tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert decisions.recent.tolist() == [20, 25, 30, 30, 30, 30, 30, 30, 30]
    assert decisions.ahead.tolist() == [30, 30, 30, 45, 40, 35, 30, 25, 20]
    # 30 >= 1.5 * 20 and 45 >= 1.5 * 30, the others fall short
    assert decisions.labels(FLAT).tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 0]


def test_the_floor_is_twenty_posts() -> None:
    for ahead, label in ((19, 0), (20, 1)):
        decisions = _decide(10, 10, 0, 0, 0, 0, 5, 5, 0, ahead, *[0] * 5)
        at = decisions.windows.length == 9
        assert (decisions.recent[at], decisions.ahead[at]) == (10, ahead)
        assert decisions.labels(FLAT)[at] == label


def test_nearness_rises_with_the_posts_and_is_a_half_at_the_line() -> None:
    steps = [_decide(10, 10, 0, 0, 0, 0, 5, 5, 0, ahead, *[0] * 5) for ahead in (0, 5, 19, 20, 40, 400)]
    near = [float(one.nearness(FLAT)[one.windows.length == 9][0]) for one in steps]
    assert near == sorted(near)
    assert near[0] < 0.001
    assert near[-1] > 0.999
    assert near[2] < 0.5 < near[3]


def test_the_clock_moves_the_target() -> None:
    decisions = _decide(*[10] * 6, *[15] * 6)  # 90 after 60: exactly 1.5 times
    at = decisions.windows.length == 6
    assert decisions.windows.hour[at] == 13  # topic starts at 8, the newest bin is the sixth
    assert decisions.labels(FLAT)[at] == 1
    evening = FLAT.copy()
    evening[14:20] *= 1.01  # more is usual ahead, so more is needed
    assert decisions.labels(evening)[at] == 0


def test_decisions_are_taken_at_the_known_ages_up_to_48_hours() -> None:
    decisions = _decide(*[30] * 80)
    assert decisions.windows.length.tolist() == list(TIMES)
    assert (min(TIMES), max(TIMES)) == (1, 48)
    assert decisions.end.tolist() == [decisions.start[0] + age + 6 for age in TIMES]
    assert (decisions.windows.counts.sum(axis=1) == 30 * np.array(TIMES)).all()


@settings(max_examples=40)
@given(st.lists(st.integers(0, 40).map(float), min_size=20, max_size=54), st.integers(1, 19))
def test_an_unknown_hour_drops_the_decisions_that_need_it_and_no_other(counts: list[float], hole: int) -> None:
    counts[0], counts[hole] = 30.0, 0.0  # the hole takes no posts away
    whole = _decide(*counts)
    expected = set(whole.windows.length.tolist()) - set(range(hole - 5, hole + 7))
    assume(expected)
    holed = _decide(*counts[:hole], None, *counts[hole + 1 :])
    assert set(holed.windows.length.tolist()) == expected


def test_six_hours_must_lie_ahead() -> None:
    with pytest.raises(CorpusError, match="no decision"):
        _decide(*[30] * 6)
    assert _decide(*[30] * 7).windows.length.tolist() == [1]


@pytest.mark.parametrize("counts", [[1.0] * 30, [None] * 30, [0.0] * 30, [30.0] * 5])
def test_no_decision_at_all_is_told(counts: list[float | None]) -> None:
    with pytest.raises(CorpusError, match="no topic has 20 posts, 10 in 6 h, and 6 known hours after"):
        _decide(*counts)


def test_coarse_bins_are_refused() -> None:
    with pytest.raises(CorpusError, match=r"1 series have bins above 60 minutes \(t, …\)"):
        topics_of([_series(1.0, minutes=120)])


@pytest.mark.parametrize("bins", [29, 30])
def test_finer_bins_give_the_decisions_of_hourly_ones(bins: int) -> None:
    hourly = _decide(*[10] * (bins // 2))
    finer = decide_on(topics_of([_series(*[5] * bins, minutes=30)]))
    for name in ("recent", "ahead", "start", "end"):
        left, right = getattr(finer, name), getattr(hourly, name)
        assert np.allclose(left[: len(right)], right), name
    assert finer.windows.hour.tolist()[: len(hourly.windows.hour)] == hourly.windows.hour.tolist()


def test_topics_are_ordered_by_their_start_whatever_their_zone() -> None:
    late = _series(*[30.0] * 10, start=START + timedelta(hours=1), topic="late")
    early = _series(*[40.0] * 10, start=START.astimezone(UTC), topic="early")
    topics = topics_of([late, early])
    assert [counts[0] for counts in topics.counts] == [40, 30]
    assert topics.hour.tolist() == [8, 9]
    assert (np.diff(topics.start) == 1).all()
    assert decide_on(topics).topic.tolist() == [0] * 4 + [1] * 4


def test_the_hours_of_the_day_are_learnt_from_the_first_72_hours() -> None:
    topics = topics_of([_series(*[24.0] * 72, *[9_999.0] * 10)])
    assert np.allclose(topics.diurnal(np.array([0])), FLAT)
    peak = topics_of([_series(0.0, 100.0, None, *[0.0] * 21)]).diurnal(np.array([0]))
    assert peak.sum() == pytest.approx(1)
    assert peak.argmax() == 9
    assert peak[9] == pytest.approx(101 / 124)
    assert (peak > 0).all()

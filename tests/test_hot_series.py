"""Hot-search discussions as hourly series: totals are kept, gaps are not invented, falling counts are unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hot_list import record

from data.errors import CorpusError
from data.hot_series import SHORTEST, _increments, discussion_series
from data.records import Series


def test_hours_between_two_snapshots_share_what_was_added() -> None:
    slot, total = np.array([0, 1, 3, 8, 9]), np.array([10.0, 14, 20, 90, 80])
    assert _increments(slot, total) == [4, 3, 3, *[None] * 5, None]


def test_an_unknown_total_makes_both_its_hours_unknown() -> None:
    assert _increments(np.array([0, 1, 2]), np.array([1.0, np.nan, 3])) == [None, None]


def test_series_are_long_enough_hourly_and_start_at_a_snapshot() -> None:
    hot = record()
    found = discussion_series(hot)
    assert found
    starts = {float(np.floor(time)) for time in hot.time}
    for series in found:
        assert isinstance(series, Series)
        assert series.interval_minutes == 60
        assert len(series.counts) >= SHORTEST
        assert series.start.timestamp() / 3600 in starts
        assert all(count is None or count >= 0 for count in series.counts)


def test_the_latest_episodes_are_whole() -> None:
    hot = record()
    hour = float(np.quantile(hot.time, 0.8))
    late = hot.since(hour)
    for episode in np.unique(late.episode):
        assert (late.episode == episode).sum() == (hot.episode == episode).sum()
        assert late.time[late.episode == episode].max() >= hour
    assert late.time.max() == hot.time.max()


def test_a_record_that_ends_too_early_is_told() -> None:
    with pytest.raises(CorpusError, match="the record ends before"):
        record().since(float(record().time.max()) + 1)

"""Hot-search discussions as hourly series: totals are kept, gaps are not invented, falling counts are unknown."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hot_list import hot, record, table_of

from data.errors import CorpusError
from data.hot_series import SHORTEST, _increments, discussion_series
from data.hot_topics import hot_list_of
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


def test_of_two_snapshots_in_one_hour_the_last_counts() -> None:
    rows = [(hour + part, "a", 10.0 + hour, 1.0) for hour in range(9) for part in (0.1, 0.6)]
    found = hot(rows)
    assert np.diff(found.slot).tolist() == [1] * 8
    assert found.discussions.tolist() == [10.0 * i for i in range(2, 19, 2)]
    assert [series.counts for series in discussion_series(found)] == [(20.0,) * 8]


def test_rows_without_a_title_are_no_topic() -> None:
    table = table_of([(hour + part, "a", 10.0, 1.0) for hour in range(9) for part in (0.1, 0.6)])
    untitled = table.set_column(table.column_names.index("title"), "title", pa.nulls(18, pa.string()))
    found = hot_list_of(pa.concat_tables([table.slice(0, 2), untitled]))
    assert len(found.heat) == 1
    assert discussion_series(found) == []

"""Windows of volumes: read in Asia/Shanghai whatever calendar their sender has, totals kept, all aligned at now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.hotlist import hot_windows_of
from data.records import MAX_AMOUNT, MAX_POINTS, Volume
from data.rim import parse
from data.volume_windows import ZONE, pad_left, to_hours, unread_hours, windows_of

Read = Callable[[Sequence[Volume]], object]
NOON = datetime(2024, 5, 1, 12, tzinfo=ZONE)
amounts = st.integers(0, 500).map(float)


def _at(time: str) -> Volume:
    return parse(Volume, _raw(as_of=time))


def _raw(**more: object) -> dict[str, object]:
    return {"as_of": "2026-05-06T12:00:00+08:00", "counts": [1], "heat": [1], "alarm_threshold": 1, **more}


@pytest.mark.parametrize("read", [windows_of, hot_windows_of])
@pytest.mark.parametrize("time", ["0002-01-01T00:00:00+14:00", "9998-12-31T23:59:59-12:00"])
def test_every_zone_has_these_years(read: Read, time: str) -> None:
    read([_at(time)])


@pytest.mark.parametrize("read", [windows_of, hot_windows_of])
@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+08:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_year_that_some_zone_does_not_have_is_told(read: Read, time: str) -> None:
    with pytest.raises(InputError) as raised:
        read([_at(time)])
    assert str(raised.value) == f"volume.as_of is {time}: give the end of the newest bin, a year from 2 to 9998"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"rank": [0]}, "rank: .*0. is 0: places begin at 1, the top; give null"),
        ({"rank": [0.5]}, "is 0.5: places begin at 1"),
        ({"counts": [1e200]}, "counts.0.: .* less than or equal to 1000000000000000"),
        ({"reads": [1e308]}, "reads.0.: "),
        ({"alarm_threshold": 0}, "alarm_threshold: .* greater than 0"),
        ({"alarm_threshold": 1e16}, "alarm_threshold: .* less than or equal to"),
    ],
)
def test_values_that_no_topic_has_are_refused_with_their_place(fault: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(Volume, _raw(**fault))


def test_the_largest_and_smallest_values_are_read() -> None:
    assert parse(Volume, _raw(rank=[1])).rank == (1,)
    assert parse(Volume, _raw(rank=[None])).rank == (None,)
    assert parse(Volume, _raw(counts=[MAX_AMOUNT], reads=[0])).counts == (MAX_AMOUNT,)


@pytest.mark.parametrize("time", ["20260315", "202603151200", "20260315120000", "1773547200.5", "-5", "", 1773547200])
def test_a_number_is_no_time(time: object) -> None:
    """It would be read as seconds since 1970: an answer for another hour of another year, and no word of it."""
    with pytest.raises(InputError, match=r"as_of: .*give ISO 8601 with a zone, like 2026-03-15T12:00:00\+08:00"):
        parse(Volume, _raw(as_of=time))


@given(st.sampled_from([5, 10, 15, 20, 30, 60, 120, 1440]), st.data())
def test_to_hours_conserves_totals(minutes: int, data: st.DataObject) -> None:
    step = max(60 // minutes, 1)
    values = data.draw(st.lists(amounts, min_size=step, max_size=4 * step).filter(lambda v: len(v) % step == 0))
    hourly = to_hours(values, minutes)
    assert len(hourly) == len(values) * minutes / 60
    assert hourly.sum() == pytest.approx(sum(values))
    assert (hourly >= -1e-9).all()


def test_bins_are_aligned_at_now() -> None:
    assert np.allclose(to_hours([1, 2, 3], 30), [1, 5])
    assert np.allclose(to_hours([24], 120), [12, 12])


def test_before_the_first_bin_there_was_nothing() -> None:
    """Half of the oldest hour was scaled up, and a third of it was as long as unknown: 161 posts were read as 240."""
    assert np.allclose(to_hours([6, 60, 60, 60], 20), [6, 180])
    assert np.allclose(to_hours([1, *[20] * 8], 15), [1, 80, 80])
    assert np.allclose(to_hours([None, 60, 60, 60], 20), [np.nan, 180], equal_nan=True)


def test_a_series_as_long_as_may_be_is_perhaps_cut_off() -> None:
    assert np.allclose(to_hours([5] * MAX_POINTS, 7), 5 * 60 / 7)  # 19.6 hours


def test_an_hour_known_for_less_than_half_is_missing() -> None:
    assert np.allclose(to_hours([None, 5, 5, 5], 30), [10, 10])
    assert np.allclose(to_hours([None, None, 5, 5], 30), [np.nan, 10], equal_nan=True)
    assert np.allclose(to_hours([None, None, None, 5], 15), [np.nan], equal_nan=True)
    assert np.allclose(to_hours([None, 3, None], 60), [np.nan, 3, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("counts", "minutes", "hours"),
    [
        ([5, None], 30, 0),  # half an hour is enough
        ([None, 5, None], 20, 1),
        ([None, 5, None, None, None, None, 5, 5, 5], 20, 1),  # nothing is known of the second hour: none is left out
        ([None, None, None, 5, 5, None, None, None], 15, 2),
        ([None, 5], 60, 0),
    ],
)
def test_hours_that_are_known_in_part_yet_not_read_are_counted(
    counts: list[float | None], minutes: int, hours: int
) -> None:
    assert unread_hours(counts, minutes) == hours


def test_a_topic_older_than_the_window_is_as_old_as_the_window() -> None:
    windows = windows_of([Volume(as_of=NOON, counts=(240.0,) * 30, interval_minutes=1440)])
    assert windows.length.tolist() == windows.known.tolist() == [MAX_POINTS]
    assert (windows.counts == 10).all()


def test_pad_left_keeps_the_newest() -> None:
    padded = pad_left([np.array([1.0, 2.0]), np.arange(200.0)])
    assert padded.shape == (2, MAX_POINTS)
    assert padded[0, -3:].tolist() == [0, 1, 2]
    assert padded[1, 0] == 200 - MAX_POINTS

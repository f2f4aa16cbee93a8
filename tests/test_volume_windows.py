"""The clock of a volume: whatever calendar its sender has, it is read in Asia/Shanghai or its own error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from data.errors import InputError
from data.hotlist import hot_windows_of
from data.records import MAX_AMOUNT, Volume
from data.rim import parse
from data.volume_windows import windows_of

Read = Callable[[Sequence[Volume]], object]


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

"""The clock of a volume: whatever calendar its sender has, it is read in Asia/Shanghai or its own error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest

from data.errors import InputError
from data.hotlist import hot_windows_of
from data.records import Volume
from data.volume_windows import windows_of

Read = Callable[[Sequence[Volume]], object]


def _at(time: str) -> Volume:
    return Volume(as_of=datetime.fromisoformat(time), counts=(1.0,), heat=(1.0,), alarm_threshold=1.0)


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

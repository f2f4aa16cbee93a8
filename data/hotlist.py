"""A hot-search topic's hours up to now as windows, and the present episode in them; for training and for serving.

An hour that is missing stays missing: the list shows a topic only while it is in the top 50. What stood before a gap
of over 6 h is another episode and is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from data.records import ARRAYS as EVERY_ARRAY
from data.records import Volume
from data.volume_windows import Floats, now_of

WIDTH = 48  # hours that a window holds; 7 of 225,067 episodes last longer
EPISODE_GAP = 6  # hours without the topic after which its return is another episode
CUMULATIVE = ("reads", "discussions", "originals")
ARRAYS = ("heat", "rank", *CUMULATIVE)

Columns = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class HotWindows:
    """n topics up to now: arrays [n, 48] with the newest hour last, nan where missing; `line` A(t) [n].

    `hour`: time of day in hours with fraction (Asia/Shanghai); `weekday`: 0 = Monday; both of now: [n].
    """

    heat: Floats
    rank: Floats
    reads: Floats
    discussions: Floats
    originals: Floats
    line: Floats
    hour: Floats
    weekday: Floats


def _row(values: Sequence[float | None] | None, minutes: int) -> Floats:
    """The last value known in each hour before now: [48]."""
    row = np.full(WIDTH, np.nan)
    for back, value in enumerate(reversed(values or ())):
        column = WIDTH - 1 - back * minutes // 60
        if column < 0:
            break
        if value is not None and np.isnan(row[column]):
            row[column] = value
    return row


def _values(volume: Volume, name: str) -> Sequence[float | None] | None:
    """An array of a volume; a heat of 0 is none: the topic was not on the list, or pinned there."""
    values: Sequence[float | None] | None = getattr(volume, name)
    return [value or None for value in values] if name == "heat" and values else values


def highest_of(volume: Volume) -> float:
    """Highest heat of any bin of the present episode, 0 where there is none: windows hold 48 h, one value an hour.

    A topic that was last seen over 6 h ago is in no episode; one that it is in may have begun before the window.
    """
    highest, latest = 0.0, EPISODE_GAP  # hour back up to which a bin belongs to it
    for back, heat in enumerate(reversed(volume.heat or ())):
        hour = back * volume.interval_minutes // 60
        if hour > latest:
            break
        if heat:
            highest, latest = max(highest, heat), hour + EPISODE_GAP
    return highest


def silence(volume: Volume) -> int:
    """How many of the newest bins nobody looked at: a heat of 0 says that the topic was not on the list, null not."""
    heat = volume.heat or ()
    return next((back for back, value in enumerate(reversed(heat)) if value is not None), len(heat))


def as_last_seen(volume: Volume) -> Volume:
    """The volume as it stood at the last look. A look of over 6 h ago tells nothing of the next 6 h: no heat then."""
    bins = silence(volume)
    if bins == 0:
        return volume
    ago = timedelta(minutes=bins * volume.interval_minutes)
    if ago > timedelta(hours=EPISODE_GAP) or bins == len(volume.heat or ()):
        return replace(volume, heat=volume.heat and (None,) * len(volume.heat))
    arrays = {name: array[:-bins] for name in EVERY_ARRAY if (array := getattr(volume, name))}
    return replace(volume, as_of=now_of(volume) - ago, **arrays)


def appears(volume: Volume) -> bool:
    """Whether the topic is on the list in any of the hours that are read: else its heat says nothing."""
    heat, looked = volume.heat or (), len(volume.heat or ()) - silence(volume)
    bins = -(-WIDTH * 60 // volume.interval_minutes)
    recent = (len(heat) - looked) * volume.interval_minutes <= EPISODE_GAP * 60
    return recent and any(heat[max(looked - bins, 0) : looked])


def hot_windows_of(volumes: Sequence[Volume]) -> HotWindows:
    """Windows of volumes that carry `heat` and `alarm_threshold`, as the service gets them; no heat is no place.

    An hour in which a topic was on the list shows it, also where a later bin of that hour does not.
    """
    now = [now_of(volume) for volume in volumes]
    arrays = {
        name: np.stack([_row(_values(volume, name), volume.interval_minutes) for volume in volumes]) for name in ARRAYS
    }
    line = np.array([volume.alarm_threshold for volume in volumes], float)
    return HotWindows(
        **arrays,
        line=np.where(line > 0, line, np.nan),
        hour=np.array([at.hour + at.minute / 60 + (at.second + at.microsecond / 1e6) / 3600 for at in now]),
        weekday=np.array([float(at.weekday()) for at in now]),
    )


@dataclass(frozen=True, slots=True)
class Episode:
    """The present episode of n topics: in which hours they were seen, and for every hour when last.

    `source` [n, 48]: column of the last appearance up to that hour, -1 before the first.
    """

    seen: NDArray[np.bool_]
    source: Columns

    @property
    def first(self) -> Columns:
        """Column of the first appearance, -1 where there is none: [n]."""
        return np.where(self.newest >= 0, self.seen.argmax(axis=1), -1)

    @property
    def newest(self) -> Columns:
        """Column of the newest appearance, -1 where there is none: [n]."""
        return self.source[:, -1]

    @property
    def stay(self) -> Columns:
        """Hours from the first appearance to the newest, both counted, 0 where there is none: [n]."""
        return np.where(self.newest >= 0, self.newest - self.first + 1, 0)

    def before(self, column: Columns) -> Columns:
        """Column of the appearance before the one at `column`, -1 where there is none: [n]."""
        found = np.take_along_axis(self.source, np.maximum(column - 1, 0)[:, None], axis=1)[:, 0]
        return np.where(column > 0, found, -1)

    def fill(self, array: Floats) -> Floats:
        """The value of the last appearance in every hour, nan before the first: [n, 48]."""
        return np.where(self.source >= 0, np.take_along_axis(array, np.maximum(self.source, 0), axis=1), np.nan)


def at(array: Floats, column: Columns) -> Floats:
    """One column of each row, nan where it is -1: [n]."""
    return np.where(column >= 0, np.take_along_axis(array, np.maximum(column, 0)[:, None], axis=1)[:, 0], np.nan)


def episode_of(heat: Floats) -> Episode:
    """Cut before the last gap of over 6 h between appearances: [n, 48]."""
    columns, nobody = np.arange(WIDTH), np.full((len(heat), 1), -WIDTH)
    known = ~np.isnan(heat)
    last = np.maximum.accumulate(np.where(known, columns, -WIDTH), axis=1)
    gap = columns - np.concatenate([nobody, last[:, :-1]], axis=1)
    begin = np.where(known & (gap > EPISODE_GAP), columns, 0).max(axis=1, keepdims=True)
    seen = known & (columns >= begin)
    return Episode(seen, np.maximum.accumulate(np.where(seen, columns, -1), axis=1))

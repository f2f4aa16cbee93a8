"""Windows of a topic's hourly volumes, right-aligned at now: what the features are computed from.

All times are hours in Asia/Shanghai; a bin's hour is the hour at which it starts (`hour_of_bin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from data.records import MAX_POINTS, YEARS, Volume

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ZONE = ZoneInfo("Asia/Shanghai")
UTC_TO_LOCAL = 8  # hours; Asia/Shanghai has no daylight saving time
WIDTH = MAX_POINTS  # hours that a window holds
HORIZON = 6  # hours ahead that the target looks
LEAST_COVER = 0.5  # share of an hour that must be known for it to be read
INCLUSIVE = timedelta(minutes=1)  # by which an end that is written as its last second or minute may fall short


@dataclass(frozen=True, slots=True)
class Windows:
    """n topics up to now: `counts` [n, 168], newest bin last, nan where missing, 0 before the first bin.

    `length`: bins since the first, [n]; `hour`: hour of day of the newest bin, [n]; `authors`, `negative`: as
    `counts`, all nan where they were not given.
    """

    counts: Floats
    length: Ints
    hour: Ints
    authors: Floats
    negative: Floats

    @property
    def life(self) -> NDArray[np.bool_]:
        """Hours since the first bin: [n, 168]."""
        return np.asarray(np.arange(WIDTH) >= WIDTH - self.length[:, None])

    @property
    def known(self) -> Ints:
        """Hours since the first bin whose posts are known: [n]."""
        return np.asarray((self.life & ~np.isnan(self.counts)).sum(axis=1))

    def take(self, rows: NDArray[np.bool_]) -> Windows:
        """Some of the windows."""
        return Windows(*(getattr(self, field.name)[rows] for field in fields(self)))


def pad_left(rows: Sequence[Floats]) -> Floats:
    """Arrays of any length as the right end of [n, 168]; 0 before their beginning."""
    out = np.zeros((len(rows), WIDTH))
    for target, row in zip(out, rows, strict=True):
        row = row[-WIDTH:]
        target[WIDTH - len(row) :] = row
    return out


def weighted(rows: Floats, weights: Floats) -> Floats:
    """Weighted sum of each row, [n]: the same bits alone and in company, whereas `@` rounds by the number of rows."""
    return np.asarray((rows * weights).sum(axis=1))


def filled(windows: Windows) -> Floats:
    """Counts whose missing hours lie on the line between the nearest known hours, or hold the one nearest to an end.

    nan where none is known: [n, 168]. (With the mean of all known hours a gap in a fading topic looked like a burst.)
    """
    counts, hours = windows.counts.copy(), np.arange(WIDTH)
    gaps = np.isnan(counts)
    for i in np.flatnonzero(gaps.any(axis=1)):
        known = windows.life[i] & ~gaps[i]
        if known.any():
            counts[i, gaps[i]] = np.interp(hours[gaps[i]], hours[known], counts[i, known])
    return counts


def _per_hour(bins: Floats, minutes: int) -> Floats:
    """Amounts per bin of `minutes` as amounts per hour, spread evenly inside a bin and aligned at the end."""
    edges = np.arange(len(bins) + 1) * minutes - len(bins) * minutes  # 0 is now
    hours = np.arange(-int(np.ceil(len(bins) * minutes / 60)), 1) * 60
    return np.diff(np.interp(hours, edges, np.concatenate([[0.0], np.cumsum(bins)])))


def _cover(values: Sequence[float | None], minutes: int) -> Floats:
    """Share of each hour that is known; before the first bin of a series that is not cut off there was nothing."""
    known = np.array([value is not None for value in values], float)
    cover = _per_hour(known * minutes, minutes) / 60
    if len(values) < MAX_POINTS and cover[:1].any():
        cover[0] += 1 - (len(values) * minutes / 60 - (len(cover) - 1))
    return cover


def unread_hours(values: Sequence[float | None], minutes: int) -> int:
    """Hours of the window of which something is known, yet less than half, so that nothing of it is read."""
    if minutes == 60:
        return 0
    cover = _cover(values, minutes)[-WIDTH:]
    return int(((cover > 0) & (cover < LEAST_COVER)).sum())


def held(values: Sequence[float | None] | None, minutes: int, hours: int) -> Sequence[float | None]:
    """The newest bins, which a window of some hours holds; none where none are given."""
    return (values or ())[-ceil(hours * 60 / minutes) :]


def to_hours(values: Sequence[float | None], minutes: int) -> Floats:
    """Values per bin of `minutes` as values per hour, aligned at the end; an hour known for less than half is nan.

    Posts are spread evenly inside a bin; an hour that is partly known is scaled up.
    """
    amounts = np.array([value or 0.0 for value in values])
    if minutes == 60:
        return np.where([value is not None for value in values], amounts, np.nan)
    cover = _cover(values, minutes)
    return np.where(cover >= LEAST_COVER, _per_hour(amounts, minutes) / np.maximum(cover, LEAST_COVER), np.nan)


def now_of(volume: Volume) -> datetime:
    """`as_of` in Asia/Shanghai; InputError without a zone or for a year outside of YEARS: this volume's fault alone."""
    time = volume.as_of
    if time.utcoffset() is None:  # of Python code; it would be read as the machine's own time
        raise InputError(f"volume.as_of is {time.isoformat()}, without a time zone: give one, such as +08:00")
    if time.year not in YEARS:
        wanted = f"give the end of the newest bin, a year from {YEARS[0]} to {YEARS[-1]}"
        raise InputError(f"volume.as_of is {time.isoformat()}: {wanted}")
    return time.astimezone(ZONE)


def hour_of_bin(start: datetime) -> int:
    """Hour of day at which a bin starts, in Asia/Shanghai; one from 13:59:59 to 14:59:59 is that of 14:00."""
    return (start.astimezone(ZONE) + INCLUSIVE).hour


def windows_of(volumes: Sequence[Volume]) -> Windows:
    """Windows of volumes that carry `counts`, as the service gets them."""
    arrays: dict[str, list[Floats]] = {"counts": [], "authors": [], "negative": []}
    for volume in volumes:
        counts = to_hours(volume.counts or (), volume.interval_minutes)
        arrays["counts"].append(counts)
        for name in ("authors", "negative"):
            given = getattr(volume, name)
            hourly = np.full(len(counts), np.nan) if given is None else to_hours(given, volume.interval_minutes)
            arrays[name].append(hourly)
    newest = [hour_of_bin(now_of(volume) - timedelta(hours=1)) for volume in volumes]
    length = np.array([min(len(row), WIDTH) for row in arrays["counts"]])
    padded = {name: pad_left(rows) for name, rows in arrays.items()}
    return Windows(length=length, hour=np.array(newest), **padded)

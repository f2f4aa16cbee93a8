"""From a hot-search topic's hours up to now to features: one pure function, for training and for serving.

Heat is always read against the alarm line, since the level of the list drifts (the line went from 0.40 M to 1.48 M in
20 months). An hour that is missing stays missing: the list shows a topic only while it is in the top 50. Features
read the past of the present episode only; what stood before a gap of over 6 h is another episode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from data.records import Volume
from data.volume import ZONE, Floats

WIDTH = 48  # hours that a window holds; 1 % of the episodes last longer
HORIZON = 6  # hours ahead that the target looks
EPISODE_GAP = 6  # hours without the topic after which its return is another episode
DECAYS = (1.5, 6.0)  # hours; of the exponentially weighted intensities
LAGS = (1, 2, 3, 6)  # hours back
CUMULATIVE = ("reads", "discussions", "originals")


@dataclass(frozen=True, slots=True)
class HotWindows:
    """n topics up to now: arrays [n, 48] with the newest hour last, nan where missing; `line` A(t) [n].

    `hour`: time of day in hours with fraction (Asia/Shanghai), `weekday`: 0 = Monday, both of now: [n].
    """

    heat: Floats
    rank: Floats
    reads: Floats
    discussions: Floats
    originals: Floats
    line: Floats
    hour: Floats
    weekday: Floats

    def take(self, rows: slice | NDArray[np.bool_]) -> HotWindows:
        """Some of the windows."""
        return HotWindows(*(getattr(self, field.name)[rows] for field in fields(self)))


ARRAYS = ("heat", "rank", *CUMULATIVE)


def _row(values: Sequence[float | None] | None, minutes: int) -> Floats:
    """The last value known in each hour before now: [48]."""
    out = np.full(WIDTH, np.nan)
    for back, value in enumerate(reversed(values or ())):
        column = WIDTH - 1 - back * minutes // 60
        if column < 0:
            break
        if value is not None and np.isnan(out[column]):
            out[column] = value
    return out


def hot_windows_of(volumes: Sequence[Volume]) -> HotWindows:
    """Windows of volumes that carry `heat` and `alarm_threshold`, as the service gets them."""
    now = [volume.as_of.astimezone(ZONE) for volume in volumes]
    arrays = {
        name: np.stack([_row(getattr(volume, name), volume.interval_minutes) for volume in volumes]) for name in ARRAYS
    }
    return HotWindows(
        **arrays,
        line=np.array([volume.alarm_threshold for volume in volumes], float),
        hour=np.array([at.hour + at.minute / 60 + at.second / 3600 for at in now]),
        weekday=np.array([float(at.weekday()) for at in now]),
    )

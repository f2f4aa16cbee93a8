"""Posts per hour of hot-search topics, from the hot list's cumulative discussions: volume series of another kind."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from data.hot_topics import HotList
from data.records import Series
from data.volume_windows import HORIZON, ZONE, Floats, Ints

MAX_GAP = 3  # hours between two snapshots of a topic over which its discussions are spread evenly
SHORTEST = HORIZON + 1  # bins of a series: one to look at, six to be judged by


def _increments(slot: Ints, total: Floats) -> list[float | None]:
    """Discussions of each hour between the first and the last snapshot; None where they are unknown."""
    bins: list[float | None] = []
    for gap, posts in zip(np.diff(slot).tolist(), np.diff(total).tolist(), strict=True):
        unknown = gap > MAX_GAP or not posts >= 0  # a count that falls, or is missing, was corrected at the source
        bins += [None if unknown else posts / gap] * gap
    return bins


def series_id(episode: int) -> str:
    """What a series of a visit to the list is called."""
    return f"hot-{episode}"


def on_record(hot: HotList) -> frozenset[tuple[str, int]]:
    """Series and absolute hour of every row: a topic's total is known there, and nowhere between two of its rows."""
    return frozenset(zip(map(series_id, hot.episode.tolist()), hot.slot.tolist(), strict=True))


def discussion_series(hot: HotList) -> list[Series]:
    """One series per visit to the list that is long enough to be judged; hours are those of the snapshots."""
    starts = np.flatnonzero(np.diff(hot.episode, prepend=-1))
    ends = np.append(starts[1:], len(hot.episode))
    slot, found = hot.slot, []
    for start, end in zip(starts, ends, strict=True):
        if slot[end - 1] - slot[start] < SHORTEST:
            continue
        bins = _increments(slot[start:end], hot.discussions[start:end])
        began, name = datetime.fromtimestamp(int(slot[start]) * 3600, ZONE), series_id(int(hot.episode[start]))
        found.append(Series(topic_id=name, start=began, interval_minutes=60, counts=tuple(bins)))
    return found

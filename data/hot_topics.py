"""Weibo's hot-search list on record: who stood where at which snapshot, cut into episodes, with the alarm line.

The list is taken about hourly, once in a clock hour; a topic is seen only while it is in the top 50. Pinned rows
(advertisements, heat 0) are left out: nobody searched them there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.errors import CorpusError
from data.hot_record import read_record
from data.hotlist import EPISODE_GAP
from data.volume_windows import ZONE, Floats, Ints

COLUMNS = ("time", "title", "heat", "rank", "read", "discuss", "origin", "ads")
WEEK = 168  # hours that the alarm line looks back
LINE_QUANTILE = 0.95
LINE_SNAPSHOTS = 84  # snapshots of that week that must be on record, else there is no line
HOUR = 3_600_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class HotList:
    """n rows in order of episode and time: absolute hour (`time`, its floor is `slot`), what was measured, the line.

    `topic` numbers the titles and `episode` their visits to the list; `reads`, `discussions`, `originals` are
    cumulative, nan where unknown; `line` is A(t) at the row's snapshot, nan where a week is not on record.
    `snapshots`: hours of all snapshots, in order: [m].
    """

    time: Floats
    topic: Ints
    episode: Ints
    heat: Floats
    rank: Floats
    reads: Floats
    discussions: Floats
    originals: Floats
    line: Floats
    snapshots: Floats

    @property
    def slot(self) -> Ints:
        return np.floor(self.time).astype(np.int64)

    def take(self, rows: NDArray[np.bool_]) -> HotList:
        """Some of the rows; all snapshots."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return HotList(**{name: v if name == "snapshots" else v[rows] for name, v in columns.items()})

    def since(self, hour: float) -> HotList:
        """Whole episodes that were still on the list at an absolute hour or later; CorpusError when there are none."""
        last = np.full(int(self.episode.max(initial=-1)) + 1, -np.inf)
        np.maximum.at(last, self.episode, self.time)
        if not (rows := last[self.episode] >= hour).any():
            raise CorpusError(f"the record ends before {_day(hour)}: give a later record, or an earlier time")
        return self.take(rows)


def _day(hour: float) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, ZONE):%Y-%m-%d}"


def alarm_lines(time: Floats, heat: Floats, snapshots: Floats) -> Floats:
    """A(t): 95th percentile of heat over the 7 days to t, t included: [m], from rows in order of time."""
    first = np.searchsorted(time, snapshots - WEEK, side="right")
    last = np.searchsorted(time, snapshots, side="right")
    held = np.arange(1, len(snapshots) + 1) - np.searchsorted(snapshots, snapshots - WEEK, side="right")
    lines = np.full(len(snapshots), np.nan)
    for i in np.flatnonzero((held >= LINE_SNAPSHOTS) & (last > first)):
        lines[i] = np.quantile(heat[first[i] : last[i]], LINE_QUANTILE)
    return lines


def episodes(topic: Ints, slot: Ints) -> Ints:
    """Number of the episode per row, from rows in order of topic and time: a new one after a gap of over 6 h."""
    new = (np.diff(topic, prepend=-1) != 0) | (np.diff(slot, prepend=0) > EPISODE_GAP)
    return np.asarray(np.cumsum(new) - 1)


def _newest(topic: Ints, slot: Floats) -> NDArray[np.bool_]:
    """Which rows, in order of topic and time, are the last of their topic in their clock hour: [n]."""
    return np.asarray((np.diff(topic, append=-1) != 0) | (np.diff(slot, append=-1) != 0))


def _once(topic: Ints, time: Floats) -> NDArray[np.bool_]:
    """Which rows are the first of their topic at their time: [n]."""
    order = np.lexsort((time, topic))
    first = np.ones(len(topic), bool)
    first[order[1:]] = (np.diff(topic[order]) != 0) | (np.diff(time[order]) != 0)
    return first


def _column(table: pa.Table, name: str) -> Floats:
    return np.asarray(pc.cast(table[name], pa.float64()).to_numpy(), float)


def hot_list_of(table: pa.Table) -> HotList:
    """The rows of a table with the columns of `hotlist.parquet`; of a topic's rows in one clock hour the last."""
    table = table.sort_by("time")
    every = pc.cast(table["time"], pa.int64()).to_numpy() / HOUR
    pinned = pc.or_(pc.fill_null(table["ads"], False), pc.less_equal(pc.fill_null(table["heat"], 0), 0))
    table = table.filter(pc.and_(pc.invert(pinned), pc.is_valid(table["title"])))
    time = pc.cast(table["time"], pa.int64()).to_numpy() / HOUR
    topic = pc.rank(table["title"], tiebreaker="dense").to_numpy().astype(np.int64)
    once = _once(topic, time)  # a day that was read in twice would weigh double in the line
    table, time, topic = table.filter(pa.array(once)), time[once], topic[once]
    heat, snapshots = _column(table, "heat"), np.unique(every)
    line = alarm_lines(time, heat, snapshots)[np.searchsorted(snapshots, time)]
    order = np.lexsort((time, topic))
    rest = {"rank": "rank", "reads": "read", "discussions": "discuss", "originals": "origin"}
    columns = {"time": time, "topic": topic, "heat": heat, "line": line}
    columns |= {name: _column(table, source) for name, source in rest.items()}
    order = order[_newest(topic[order], np.floor(time[order]))]
    columns = {name: values[order] for name, values in columns.items()}
    episode = episodes(columns["topic"], np.floor(columns["time"]).astype(np.int64))
    return HotList(**columns, episode=episode, snapshots=snapshots)


def read_hot_list(path: Path) -> HotList:
    """Read a record of the list; CorpusError as `read_record`, and where no topic is left on it."""
    hot = hot_list_of(read_record(path, COLUMNS))
    if not len(hot.time):
        raise CorpusError(f"{path} holds no topic with a title and heat that is not pinned: give another record")
    return hot

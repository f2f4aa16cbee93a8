"""From the hot list on record to decisions: which topic is looked at when, and whether it then reaches the line.

A decision is taken at every snapshot that shows a topic below the alarm line and never in alarm in its episode. It
escalates when a later snapshot within 6 h shows it at the line of that snapshot or above; a topic that has left the
top 50 is below. Where the record has a hole, the window is left out, whatever it seems to say: keeping crossings
seen beside a hole while dropping the rest would raise the prevalence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from data.errors import CorpusError
from data.hot_topics import HotList
from data.hotlist import ARRAYS, HORIZON, WIDTH, HotWindows
from data.hotlist_features import hot_features
from data.volume_windows import UTC_TO_LOCAL, Floats, Ints
from models.escalation_head import design
from models.hotlist import DAY

MAX_HOLE = 3.5  # hours: that of 08:00 is never on record, that of 09:00 on 55 % of the days; 8 holes are larger
MAX_BLIND = 1.5  # hours at the window's end without snapshot after which a later crossing may have been within it
MARGIN = 72  # hours of the hot list before the days that are read, so that episodes have their beginning
STEEPNESS = 8.0  # of the nearness; with 12 and with 20 AUROC is lower on rolling origins before the test block
CHUNK = 20_000  # rows whose windows are in memory at once


@dataclass(frozen=True, slots=True)
class HotDecisions:
    """n decisions in order of time: absolute hours (UTC), features [n, names] and labels [n].

    `nearness`: how near each came to the line, 0 to 1; `day_labels`: the label within 24 h, nan where that is not
    resolved; `episode`: its number; `alarm`: hour at which it is first seen in alarm, inf where it never is.
    """

    names: tuple[str, ...]
    features: Floats
    labels: Ints
    nearness: Floats
    day_labels: Floats
    time: Floats
    episode: Ints
    alarm: Floats

    @property
    def day(self) -> Ints:
        """Number of the day (Asia/Shanghai), by which figures are resampled: [n]."""
        return np.floor((self.time + UTC_TO_LOCAL) / 24).astype(np.int64)

    def column(self, name: str) -> Floats:
        return np.asarray(self.features[:, self.names.index(name)])

    def columns(self, names: Sequence[str]) -> Floats:
        """Features by name, in that order: [n, names]."""
        return np.column_stack([self.column(name) for name in names])

    def known(self, rows: NDArray[np.bool_]) -> HotDecisions:
        """Without the features that are never known at some rows, such as reads that nobody gave."""
        kept = np.flatnonzero((~np.isnan(self.features[rows])).any(axis=0))
        if len(kept) == len(self.names):
            return self
        names = tuple(self.names[i] for i in kept)
        return replace(self, names=names, features=self.features[:, kept])

    def take(self, rows: NDArray[np.bool_]) -> HotDecisions:
        """Some of the decisions."""
        taken = {field.name: getattr(self, field.name)[rows] for field in fields(self)[1:]}
        return HotDecisions(self.names, **taken)


def first_alarm(hot: HotList) -> Floats:
    """Hour at which each row's episode is first seen in alarm: inf where never, -inf where a line is unknown: [n]."""
    starts = np.flatnonzero(np.diff(hot.episode, prepend=-1))
    alarm = np.where(hot.heat >= hot.line, hot.time, np.inf)
    alarm[np.isnan(hot.line)] = -np.inf
    lengths = np.diff(starts, append=len(hot.time))
    return np.repeat(np.minimum.reduceat(alarm, starts), lengths)


def longest_hole(snapshots: Floats, horizon: int = HORIZON) -> Floats:
    """Longest time without snapshot that begins within 6 h after each snapshot; inf where the record ends: [m]."""
    gaps = np.diff(snapshots, append=np.inf)
    ends = np.searchsorted(snapshots, snapshots + horizon)
    return np.array([gaps[i:end].max() for i, end in enumerate(ends)])


def outcomes(hot: HotList, horizon: int = HORIZON) -> tuple[NDArray[np.intp], Ints]:
    """Rows at which a decision is taken and its label is resolved within `horizon` hours, and the labels."""
    alarm = first_alarm(hot)
    end = hot.time + horizon
    hole = longest_hole(hot.snapshots, horizon)[np.searchsorted(hot.snapshots, hot.time)]
    previous = hot.snapshots[np.maximum(np.searchsorted(hot.snapshots, alarm) - 1, 0)]
    unclear = (alarm > end) & (alarm < np.inf) & (previous < end - MAX_BLIND)
    rows = np.flatnonzero((hot.time < alarm) & (hole <= MAX_HOLE) & ~unclear)
    return rows, (alarm[rows] <= end[rows]).astype(np.int64)


def nearness(hot: HotList, rows: NDArray[np.intp]) -> Floats:
    """How near topics come to the line within 6 h after some rows, 0 to 1: [n].

    x**8 / (1 + x**8) for a highest heat of x lines; a topic that has left the list comes no nearer.
    """
    share = np.nan_to_num(hot.heat / hot.line)
    highest, ahead = np.zeros(len(rows)), np.arange(len(rows))
    for step in range(1, len(hot.time)):
        place = np.minimum(rows[ahead] + step, len(hot.time) - 1)
        follows = (rows[ahead] + step == place) & (hot.episode[place] == hot.episode[rows[ahead]])
        follows &= hot.time[place] <= hot.time[rows[ahead]] + HORIZON
        ahead, place = ahead[follows], place[follows]
        if not len(ahead):
            break
        highest[ahead] = np.maximum(highest[ahead], share[place])
    powers = highest**STEEPNESS
    return np.asarray(powers / (1 + powers))


def windows_at(hot: HotList, rows: NDArray[np.intp]) -> HotWindows:
    """Windows of the topics at some rows, as the service would get them at these times."""
    slot, arrays = hot.slot, {name: np.full((len(rows), WIDTH), np.nan) for name in ARRAYS}
    alive, back = np.arange(len(rows)), 0
    while len(alive):
        source = rows[alive] - back
        past = np.maximum(source, 0)
        age = slot[rows[alive]] - slot[past]
        alive_still = (source >= 0) & (hot.episode[past] == hot.episode[rows[alive]]) & (age < WIDTH)
        alive, past, age = alive[alive_still], past[alive_still], age[alive_still]
        for name, array in arrays.items():
            array[alive, WIDTH - 1 - age] = getattr(hot, name)[past]
        back += 1
    local = hot.time[rows] + UTC_TO_LOCAL
    weekday = (local // 24 + 3) % 7  # 1970-01-01 was a Thursday
    return HotWindows(**arrays, line=hot.line[rows], hour=local % 24, weekday=weekday)


def decide_hot(hot: HotList) -> HotDecisions:
    """All decisions whose label is resolved, with their features; CorpusError when there are none."""
    rows, labels = outcomes(hot)
    if not len(rows):
        raise CorpusError("no decision: the record must hold an alarm line (84 snapshots in a week) and 6 h after it")
    order = np.argsort(hot.time[rows], kind="stable")
    rows, labels = rows[order], labels[order]
    chunks = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
    found = [hot_features(windows_at(hot, chunk)) for chunk in chunks]
    names = tuple(found[0])
    later, day = outcomes(hot, DAY), np.full(len(hot.time), np.nan)
    day[later[0]] = later[1]
    return HotDecisions(
        names=names,
        features=np.concatenate([design(part, names) for part in found]),
        labels=labels,
        nearness=nearness(hot, rows),
        day_labels=day[rows],
        time=hot.time[rows],
        episode=hot.episode[rows],
        alarm=first_alarm(hot)[rows],
    )

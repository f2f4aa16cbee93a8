"""From the hot list on record to decisions: which topic is looked at when, and whether it then reaches the line.

A decision is taken at every snapshot that shows a topic below the alarm line and never in alarm in its episode. It
escalates when a later snapshot within 6 h shows it at the line of that snapshot or above; a topic that has left the
top 50 is below. Where the record has a hole, the window is left out, whatever it seems to say: keeping crossings
seen beside a hole while dropping the rest would raise the prevalence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from data.errors import CorpusError
from data.hot_topics import HotList
from data.hotlist import ARRAYS, WIDTH, HotWindows
from data.hotlist_features import hot_features
from data.volume_windows import HORIZON, UTC_TO_LOCAL, Floats, Ints
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
        never = np.isnan(self.features[rows]).all(axis=0)
        return self.without([self.names[i] for i in np.flatnonzero(never)])

    def without(self, names: Sequence[str]) -> HotDecisions:
        """Without some features."""
        kept = [i for i, name in enumerate(self.names) if name not in names]
        if len(kept) == len(self.names):
            return self
        return replace(self, names=tuple(self.names[i] for i in kept), features=self.features[:, kept])

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


def resolved(hot: HotList, time: Floats, alarm: Floats, horizon: int = HORIZON) -> NDArray[np.bool_]:
    """Whether it is known what comes within `horizon` hours after some snapshots, before the alarm of each: [n]."""
    end = time + horizon
    hole = longest_hole(hot.snapshots, horizon)[np.searchsorted(hot.snapshots, time)]
    previous = hot.snapshots[np.maximum(np.searchsorted(hot.snapshots, alarm) - 1, 0)]
    unclear = (alarm > end) & (alarm < np.inf) & (previous < end - MAX_BLIND)
    return np.asarray((time < alarm) & (hole <= MAX_HOLE) & ~unclear)


def outcomes(hot: HotList, horizon: int = HORIZON) -> tuple[NDArray[np.intp], Ints]:
    """Rows at which a decision is taken and its label is resolved within `horizon` hours, and the labels."""
    alarm = first_alarm(hot)
    rows = np.flatnonzero(resolved(hot, hot.time, alarm, horizon))
    return rows, (alarm[rows] <= hot.time[rows] + horizon).astype(np.int64)


def nearness(hot: HotList, rows: NDArray[np.intp], end: Floats | None = None, life: Ints | None = None) -> Floats:
    """How near topics come to the line between some rows and hour `end` (6 h later), 0 to 1: [n].

    x**8 / (1 + x**8) for a highest heat of x lines; a topic that has left the list comes no nearer. Read are rows of
    the same `life`, by row: that of its episode unless given.
    """
    end, life = hot.time[rows] + HORIZON if end is None else end, hot.episode if life is None else life
    share = np.nan_to_num(hot.heat / hot.line)
    highest, ahead = np.zeros(len(rows)), np.arange(len(rows))
    for step in range(1, len(hot.time)):
        place = np.minimum(rows[ahead] + step, len(hot.time) - 1)
        follows = (rows[ahead] + step == place) & (life[place] == life[rows[ahead]])
        follows &= hot.time[place] <= end[ahead]
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
    return HotWindows(**arrays, line=hot.line[rows], **clock_at(hot.time[rows]))


def clock_at(time: Floats) -> dict[str, Floats]:
    """`hour` and `weekday` of windows at absolute hours (UTC)."""
    local = time + UTC_TO_LOCAL
    return {"hour": local % 24, "weekday": (local // 24 + 3) % 7}  # 1970-01-01 was a Thursday


def features_of(
    windows: Callable[[NDArray[np.intp]], HotWindows], rows: NDArray[np.intp]
) -> tuple[tuple[str, ...], Floats]:
    """Names and features of the windows at some rows, CHUNK of them in memory at once: [n, names]."""
    found = [hot_features(windows(rows[i : i + CHUNK])) for i in range(0, len(rows), CHUNK)]
    names = tuple(found[0])
    return names, np.concatenate([design(part, names) for part in found])


def decide_hot(hot: HotList) -> HotDecisions:
    """All decisions whose label is resolved, with their features; CorpusError when there are none."""
    rows, labels = outcomes(hot)
    if not len(rows):
        raise CorpusError("no decision: the record must hold an alarm line (84 snapshots in a week) and 6 h after it")
    return decided(hot, rows, labels, lambda part: windows_at(hot, part))


def decided(
    hot: HotList, rows: NDArray[np.intp], labels: Ints, windows: Callable[[NDArray[np.intp]], HotWindows]
) -> HotDecisions:
    """Decisions at some rows, in order of time, read in these windows."""
    order = np.argsort(hot.time[rows], kind="stable")
    rows, labels = rows[order], labels[order]
    names, features = features_of(windows, rows)
    later, day = outcomes(hot, DAY), np.full(len(hot.time), np.nan)
    day[later[0]] = later[1]
    return HotDecisions(
        names=names,
        features=features,
        labels=labels,
        nearness=nearness(hot, rows),
        day_labels=day[rows],
        time=hot.time[rows],
        episode=hot.episode[rows],
        alarm=first_alarm(hot)[rows],
    )

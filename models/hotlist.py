"""The `hotlist` head in use: hours of a hot-search topic in, likelihood of the alarm line within 6 h out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.hotlist import (
    ARRAYS,
    EPISODE_GAP,
    WIDTH,
    HotWindows,
    as_last_seen,
    episode_of,
    highest_of,
    hot_windows_of,
    silence,
)
from data.hotlist_features import AWAY, hot_features
from data.records import Volume
from data.results import EscalationResult, Outlook
from data.volume_windows import HORIZON, Floats, held
from models.escalation_head import DIGITS, EscalationHead, Observed, design, sound
from models.hotlist_words import HOT_GROUPS, describe_hot
from models.staleness import WARN_AFTER_DAYS

DAY = 24  # hours; the longer horizon
MAX_BIN = 180  # minutes; coarser bins were not measured
ALARMED = "本轮已过警戒线，首次越线已经发生，概率仅供参考"
HOT_TARGET = (
    "alarm_6h on first crossing: heat >= A within (t, t+6h], for a topic below A and never in alarm in its episode; "
    "A = alarm_threshold, in training the 95th percentile of the list's heat over 7 days; out of the top 50 is below A"
)


def within(features: Floats, low: Floats, middle: Floats, high: Floats) -> Floats:
    """What a logistic regression can read: medians for what is missing, no value beyond those of training."""
    return np.asarray(np.clip(np.where(np.isnan(features), middle, features), low, high))


def crossed(volumes: Sequence[Volume]) -> NDArray[np.bool_]:
    """Whether heat reached the line in any bin of the present episode: [n]."""
    return np.array([highest_of(volume) >= (volume.alarm_threshold or np.inf) for volume in volumes], bool)


@dataclass(frozen=True)
class HotlistModel(EscalationHead):
    """Calibrated trees, others for incomplete views, and a logistic regression where the target is not defined.

    `low`, `middle`, `high`: of each feature in training (0.1 %, median, 99.9 %); the fallback reads no value beyond.
    `partial`: trees that also learnt from topics whose place is not known or that have left the list (None = not
    trained: then such topics are out of domain); they read how long a topic has been away, after all `names`.
    """

    groups = HOT_GROUPS
    horizon_hours = HORIZON

    head: Literal["hotlist"]
    main: Any  # scikit-learn classifiers with predict_proba, calibrated
    fallback: Any
    names: tuple[str, ...]
    low: Floats
    middle: Floats
    high: Floats
    base_rate: float
    target: str = HOT_TARGET
    calibrated_until: float | None = None
    warn_after_days: int = WARN_AFTER_DAYS
    day: Any = None  # as `main`, for the same crossing within 24 h; None = not trained
    day_base_rate: float = 0.0
    partial: Any = None

    @property
    def read(self) -> tuple[str, ...]:
        """Names of the columns of the features: those of all parts, then what only `partial` reads."""
        return self.names if self.partial is None else (*self.names, AWAY)

    def say(self, group: str, values: Mapping[str, float]) -> str:
        """A group of features in words."""
        return describe_hot(group, values)

    def probabilities(self, features: Floats, in_domain: NDArray[np.bool_]) -> Floats:
        """Likelihood per row: the trees of its view, or the logistic regression where it is out of domain: [n].

        A topic that left the list over 6 h ago is out of domain, and as unlikely as one that left it 6 h ago.
        """
        return self._answered(features, self._part(features, in_domain))

    def altered(self, copies: Floats, features: Floats, inside: NDArray[np.bool_]) -> Floats:
        """Likelihood of altered copies, each by the part that answers its row."""
        return self._answered(copies, np.tile(self._part(features, inside), len(copies) // max(len(features), 1)))

    def _part(self, features: Floats, in_domain: NDArray[np.bool_]) -> NDArray[np.str_]:
        """Name of the part that answers each row: [n]."""
        conditions = [in_domain & self.complete(features), in_domain | self._gone(features)]
        return np.select(conditions, ["main", "partial"], "fallback")

    def _answered(self, features: Floats, part: NDArray[np.str_]) -> Floats:
        found, own = np.empty(len(features)), features[:, : len(self.names)]
        if (rows := part == "main").any():
            found[rows] = self.main.predict_proba(own[rows])[:, 1]
        if (rows := part == "partial").any():
            found[rows] = self.partial.predict_proba(features[rows])[:, 1]
        if (rows := part == "fallback").any():
            found[rows] = self.regression(own[rows])
        return found

    def regression(self, features: Floats) -> Floats:
        """What the logistic regression alone says of any rows: [n]."""
        inside = within(features[:, : len(self.names)], self.low, self.middle, self.high)
        return np.asarray(self.fallback.predict_proba(inside)[:, 1])

    def _gone(self, features: Floats) -> NDArray[np.bool_]:
        """Which rows were last seen over 6 h ago, so that their episode is over: [n]."""
        if self.partial is None:
            return np.zeros(len(features), bool)
        return np.asarray(features[:, self.read.index(AWAY)] > EPISODE_GAP)

    def complete(self, features: Floats) -> NDArray[np.bool_]:
        """Which rows show a topic on the list, at a place that is known: [n]; all of them without `partial`."""
        if self.partial is None:
            return np.ones(len(features), bool)
        there = features[:, self.read.index(AWAY)] == 0
        if "rank" in self.names:  # else its training knew no places
            there &= ~np.isnan(features[:, self.names.index("rank")])
        return np.asarray(there)

    def outlooks(self, features: Floats, inside: NDArray[np.bool_], likelihood: Floats) -> Sequence[Outlook | None]:
        """`alarm_24h` in domain where the view is complete, never below the answer for 6 h."""
        found: list[Outlook | None] = [None] * len(features)
        rows = inside & self.complete(features)
        if self.day is None or not rows.any():
            return found
        day = self.day.predict_proba(features[rows, : len(self.names)])[:, 1]
        later = sound(np.maximum(day, likelihood[rows]))
        for i, p in zip(np.flatnonzero(rows), later.tolist(), strict=True):
            rate = self.day_base_rate
            found[i] = Outlook(DAY, round(p, DIGITS), round(rate, DIGITS), round(p / rate, 2))
        return found

    def in_domain(self, windows: HotWindows, already: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The rule of README.md, [n]: the line is above 0, heat has not `already` reached it in the present episode,
        and the topic was on the list within 6 h; without `partial`, it is there now, at a place that is known.
        `predict` adds bins of up to 3 h, and its answers that the newest hour was measured."""
        away = WIDTH - 1 - episode_of(windows.heat).newest
        placed = ~np.isnan(windows.rank[:, -1]) | ("rank" not in self.names)  # else its training knew no places
        shown = (away == 0) & placed if self.partial is None else away <= EPISODE_GAP
        return np.asarray(shown & ~np.isnan(windows.line) & ~already)

    def predict(self, volumes: Sequence[Volume]) -> list[EscalationResult]:
        """Answer volumes that carry `heat` and `alarm_threshold`; one result each, in their order.

        Hours that nobody looked at are left out: the answer is that of the last look, and out of domain. A look of
        over 6 h ago counts as none.
        """
        last = [as_last_seen(volume) for volume in volumes]
        windows = hot_windows_of(last)
        features = design(hot_features(windows), self.read)
        fine = np.array([volume.interval_minutes <= MAX_BIN for volume in volumes])
        already = crossed(last)
        inside = self.in_domain(windows, already) & fine
        episode = episode_of(windows.heat)
        counted = (episode.seen.sum(axis=1), already, episode.newest, episode.stay)
        rows = zip(volumes, *(each.tolist() for each in counted), strict=True)
        observed = [_observed(*row) for row in rows]
        return self.answers(features, inside, observed, volumes)

    def neutral(self, values: Floats, columns: list[int]) -> Floats:
        """Medians, but what is missing stays missing: the trees read that too."""
        middle = np.append(self.middle, 0.0)  # not away
        return np.where(np.isnan(values), np.nan, middle[columns])


def _observed(volume: Volume, n_obs: int, already: bool, newest: int, stay: int) -> Observed:
    missing = _missing(volume)
    told, current = tuple(_told(volume, missing, already, newest)), not _silent(volume)
    return Observed(n_obs, missing, told, already, {"stay": stay}, current)


def _silent(volume: Volume) -> bool:
    """Whether nobody looked within the newest hour, or bin where that is longer."""
    return silence(volume) * volume.interval_minutes >= 60


def _told(volume: Volume, missing: Sequence[str], already: bool, newest: int) -> Iterator[str]:
    """What a desk must know; `newest`: column of the newest appearance at the last look, -1 where there is none."""
    if already:
        yield ALARMED
    yield from _absence(volume, "热度" if "rank" in missing else "热度和名次", newest)
    if volume.interval_minutes > 60:
        yield f"每个时段长{volume.interval_minutes}分钟，热度走势和上榜时长只能粗略判断"


def _absence(volume: Volume, what: str, newest: int) -> Iterator[str]:
    """How long nobody looked, and how long the topic had been off the list by then."""
    away = WIDTH - 1 - newest if newest >= 0 else 0
    gone, hours = f"{away}小时未见于榜单，{what}为最后一次上榜时的值", silence(volume) * volume.interval_minutes // 60
    if newest < 0 and _silent(volume) and any(volume.heat or ()):
        yield f"最近{hours}小时没有热度数据，上次观测距今超过{EPISODE_GAP}小时，升级可能性未知"
    elif newest >= 0 and _silent(volume):
        still = f"{what}为最后一次观测的值，话题可能仍在榜单上"
        yield f"最近{hours}小时没有热度数据，{f'此前{gone}' if away else still}"
    elif away:
        yield f"已有{gone}"


def _missing(volume: Volume) -> tuple[str, ...]:
    """Arrays of which nothing is known within the window, and `heat` where some hour has null, not 0."""
    read = {name: {*held(getattr(volume, name), volume.interval_minutes, WIDTH)} for name in ARRAYS}
    absent = tuple(name for name in ARRAYS if name != "heat" and read[name] <= {None})
    return (*absent, "heat") if None in read["heat"] else absent

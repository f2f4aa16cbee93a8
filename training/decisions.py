"""From recorded series to decisions: at which hours a topic is looked at, and whether it then escalated (target D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import gcd

import numpy as np
from numpy.typing import NDArray

from data.errors import CorpusError
from data.records import Series
from data.volume_pace import PRIOR, rise
from data.volume_windows import HORIZON, Floats, Ints, Windows, hour_of_bin, pad_left, to_hours
from models.escalation import MIN_RECENT, MIN_TOTAL

TIMES = (*range(1, 25), *range(26, 49, 2))  # hours of age at which a decision is taken
DIURNAL_HOURS = 72  # of each series that teach the hours of the day
FACTOR, FLOOR = 1.5, 20  # escalation: this many times the usual posts, and at least so many
STEEPNESS = 3.0  # of `nearness`; with 2 and with 5 AUROC is lower on rolling origins before the test block


@dataclass(frozen=True, slots=True)
class Topics:
    """Recorded topics in order of their start: hourly arrays, hour of day and absolute hour of the first bin."""

    counts: list[Floats]
    authors: list[Floats]
    negative: list[Floats]
    hour: Ints
    start: Floats

    def diurnal(self, topics: NDArray[np.intp]) -> Floats:
        """Share of posts by hour of day over the first 72 h of these topics (one post of each hour added): [24]."""
        posts = np.ones(24)
        for topic in topics:
            first = np.nan_to_num(self.counts[topic][:DIURNAL_HOURS])
            np.add.at(posts, (self.hour[topic] + np.arange(len(first))) % 24, first)
        return np.asarray(posts / posts.sum())


def _hourly(series: Series, values: tuple[float | None, ...] | None) -> Floats:
    """Values per hour from the start on: unknown bins fill the last hour, since `to_hours` aligns at the end."""
    values = (None,) * len(series.counts) if values is None else values
    unknown = -len(values) % (60 // gcd(60, series.interval_minutes))
    return to_hours((*values, *[None] * unknown), series.interval_minutes)


def topics_of(rows: Sequence[Series]) -> Topics:
    """Series as hourly arrays; CorpusError for bins that are coarser than an hour."""
    coarse = [row.topic_id for row in rows if row.interval_minutes > 60]
    if coarse:
        raise CorpusError(
            f"{len(coarse)} series have bins above 60 minutes ({coarse[0]}, …): give hourly or finer bins"
        )
    rows = sorted(rows, key=lambda row: row.start)
    return Topics(
        counts=[_hourly(row, row.counts) for row in rows],
        authors=[_hourly(row, row.authors) for row in rows],
        negative=[_hourly(row, row.negative) for row in rows],
        hour=np.array([hour_of_bin(row.start) for row in rows]),
        start=np.array([row.start.timestamp() / 3600 for row in rows]),
    )


@dataclass(frozen=True, slots=True)
class Decisions:
    """n decisions: windows up to the decision, posts of the 6 h after it, the topic, and absolute hours."""

    windows: Windows
    recent: Floats
    ahead: Floats
    topic: Ints
    start: Floats  # of the topic
    end: Floats  # of the label's window

    def take(self, rows: NDArray[np.bool_]) -> Decisions:
        """Some of the decisions."""
        rest = (getattr(self, field.name)[rows] for field in fields(self)[1:])
        return Decisions(self.windows.take(rows), *rest)

    def labels(self, diurnal: Floats) -> Ints:
        """Target D: N(t, t+6h] >= max(1.5 * N(t-6h, t] * r(t), 20)."""
        return (self.ahead >= self.needed(diurnal)).astype(int)

    def nearness(self, diurnal: Floats) -> Floats:
        """How near each came to an escalation, 0 to 1: x**3 / (1 + x**3) for x times the posts needed: [n]."""
        share = ((self.ahead + PRIOR) / self.needed(diurnal)) ** STEEPNESS
        return np.asarray(share / (1 + share))

    def needed(self, diurnal: Floats) -> Floats:
        """Posts of the next 6 h that make an escalation: [n]."""
        return np.maximum(FACTOR * self.recent * rise(self.windows.hour, diurnal), FLOOR)


def decide_on(topics: Topics) -> Decisions:
    """All decisions whose target is defined; where an hour of the horizon is unknown there is none."""
    rows: list[tuple[int, int, float, float]] = []
    for topic, counts in enumerate(topics.counts):
        for age in TIMES:
            past, ahead = counts[:age], counts[age : age + HORIZON]
            if len(ahead) < HORIZON or np.isnan(ahead).any() or np.isnan(past[-HORIZON:]).any():
                continue
            recent = past[-HORIZON:].sum()
            if np.nansum(past) >= MIN_TOTAL and recent >= MIN_RECENT:
                rows.append((topic, age, recent, ahead.sum()))
    if not rows:
        raise CorpusError(f"no decision: no topic has {MIN_TOTAL} posts, {MIN_RECENT} in 6 h, and 6 known hours after")
    which, ages = (np.array([row[i] for row in rows]) for i in (0, 1))

    def window(arrays: list[Floats]) -> Floats:
        return pad_left([arrays[topic][:age] for topic, age in zip(which, ages, strict=True)])

    windows = Windows(
        counts=window(topics.counts),
        length=ages,
        hour=(topics.hour[which] + ages - 1) % 24,
        authors=window(topics.authors),
        negative=window(topics.negative),
    )
    start = topics.start[which]
    recent, ahead_posts = (np.array([row[i] for row in rows]) for i in (2, 3))
    return Decisions(windows, recent, ahead_posts, which, start, start + ages + HORIZON)

"""Replay decisions as a desk lives them: alerts, what they caught and how early, what was missed, false alarms.

An alert stands for the horizon of 6 h; meanwhile the same topic raises no second one. It is right when the topic
crosses within that time. A crossing is caught when some decision of the 6 h before it was above, whether it raised an
alert or met a standing one. A topic is replayed up to its first crossing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.volume_windows import HORIZON, UTC_TO_LOCAL, Floats, Ints
from models.policy import Policy

CANDIDATES = 80  # thresholds that are tried

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Replay:
    """n decisions: topic, hour, likelihood over the base rate, hour of the topic's first crossing (inf = never)."""

    topic: Ints
    time: Floats
    likelihood: Floats
    crossing: Floats

    @classmethod
    def of(cls, topic: Ints, time: Floats, likelihood: Floats, crossing: Floats) -> Replay:
        """In order of time, without what lies after a topic's crossing."""
        order = np.argsort(time, kind="stable")
        order = order[time[order] < crossing[order]]
        return cls(topic[order], time[order], likelihood[order], crossing[order])

    @property
    def days(self) -> int:
        """Days (Asia/Shanghai) with at least one decision."""
        return max(len(np.unique((self.time + UTC_TO_LOCAL) // 24)), 1)

    @property
    def due(self) -> Rows:
        """Decisions whose topic crosses within the horizon: [n]."""
        return self.crossing <= self.time + HORIZON


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule would have done. Lead times: hours from the first such decision to the crossing (quartiles)."""

    alerts: int
    right: int
    precision: float
    false_alarms_per_day: float
    crossings: int
    caught: int
    misses: int
    recall: float
    lead_hours: tuple[float, float, float] | None

    @property
    def false_alarms(self) -> int:
        return self.alerts - self.right


def raised(replay: Replay, above: Rows) -> NDArray[np.intp]:
    """Rows at which an alert is raised: the first one above, then none for that topic within the horizon."""
    silent: dict[int, float] = {}
    found = []
    for row in np.flatnonzero(above):
        topic, time = int(replay.topic[row]), float(replay.time[row])
        if time >= silent.get(topic, -np.inf):
            silent[topic] = time + HORIZON
            found.append(row)
    return np.array(found, np.intp)


def _quartiles(hours: Floats) -> tuple[float, float, float]:
    low, middle, high = (round(float(hour), 1) for hour in np.quantile(hours, [0.25, 0.5, 0.75]))
    return low, middle, high


def outcome(replay: Replay, above: Rows) -> Outcome:
    """Alerts of a rule and what came of them."""
    alerts, due = raised(replay, above), replay.due
    right, seen = alerts[due[alerts]], np.flatnonzero(due & above)
    topics, first = np.unique(replay.topic[seen], return_index=True)
    crossings = len(np.unique(replay.topic[due]))
    lead = (replay.crossing - replay.time)[seen][first]
    return Outcome(
        alerts=len(alerts),
        right=len(right),
        precision=round(len(right) / max(len(alerts), 1), 4),
        false_alarms_per_day=round((len(alerts) - len(right)) / replay.days, 2),
        crossings=crossings,
        caught=len(topics),
        misses=crossings - len(topics),
        recall=round(len(topics) / max(crossings, 1), 4),
        lead_hours=_quartiles(lead) if len(lead) else None,
    )


def by_level(replay: Replay, policy: Policy, severity: int | None, base_rate: float) -> dict[str, Outcome]:
    """What each risk level and those above it would have raised, for topics of one severity."""
    row = policy.matrix["unknown" if severity is None else str(severity)]
    ranks = np.array([row[policy.band(lift)] for lift in (replay.likelihood / base_rate).tolist()])
    return {level.level: outcome(replay, ranks >= level.rank) for level in policy.levels[1:]}


def thresholds(replay: Replay) -> Floats:
    """Thresholds worth trying: from the median of the likelihoods to just above the largest, rising."""
    shares = 1 - np.geomspace(0.5, 1 / max(len(replay.time), 2), CANDIDATES)
    return np.append(np.unique(np.quantile(replay.likelihood, shares)), np.nextafter(replay.likelihood.max(), np.inf))


def curve(replay: Replay, at: Sequence[float] | Floats) -> list[tuple[float, Outcome]]:
    """The outcome at each threshold."""
    return [(float(threshold), outcome(replay, replay.likelihood >= threshold)) for threshold in at]


def choose(
    replay: Replay, false_alarms_per_day: float, miss_cost: float | None = None, false_alarm_cost: float = 1.0
) -> float:
    """The cheapest threshold when a miss has a cost, else the lowest one within a budget of false alarms per day."""
    tried = curve(replay, thresholds(replay))
    if miss_cost is None:
        return next(at for at, found in tried if found.false_alarms_per_day <= false_alarms_per_day)
    return min(tried, key=lambda one: miss_cost * one[1].misses + false_alarm_cost * one[1].false_alarms)[0]

"""A window of posts against the reference: one row per statistic, with what chance alone explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from serving.drift.observation import Observation
from serving.drift.reference import HISTOGRAMS, MEANS, MIN_POSTS, Reference, column, counts

State = Literal["ok", "warning", "alarm", "too_few"]
Kind = Literal["psi", "shift"]
LIMITS: Mapping[Kind, tuple[float, float]] = {  # warning, alarm
    "psi": (0.10, 0.25),  # the usual reading of the population stability index (Siddiqi 2006)
    "shift": (0.20, 0.50),  # of the mean, in standard deviations: small and medium by Cohen (1988)
}
CHANCE = 1e-4  # a difference that chance exceeds more often than that is no drift
SD_FLOOR = 0.01  # all means are shares: below one point in a hundred nothing is a standard deviation
NAMES = ("category", *HISTOGRAMS, *(f"mean_{name}" for name in MEANS))


@dataclass(frozen=True, slots=True)
class Statistic:
    """`value` compares `now` with `reference` (means; null for a mix); it counts only above `chance`."""

    name: str
    """What is compared."""
    kind: Kind
    """`psi`: stability index of a mix; `shift`: of a mean, in standard deviations."""
    value: float
    """The difference."""
    chance: float
    """The difference that chance explains."""
    warning: float
    """Value from which on it is a warning."""
    alarm: float
    """Value from which on it is an alarm."""
    state: State
    """What the value is."""
    reference: float | None = None
    """Mean of the reference; null for a mix."""
    now: float | None = None
    """Mean of the window; null for a mix."""


def psi(reference: ArrayLike, now: ArrayLike) -> float:
    """Population stability index of two count vectors; half a post is added to each bin, so that it is finite."""
    p, q = (np.asarray(part, dtype=np.float64) + 0.5 for part in (reference, now))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def _statistic(
    name: str, kind: Kind, value: float, chance: float, means: tuple[float | None, float | None] = (None, None)
) -> Statistic:
    warning, alarm = LIMITS[kind]
    limits = (("warning", warning), ("alarm", alarm))
    reached = [state for state, limit in limits if not abs(value) <= max(limit, chance)]  # NaN, too, is none that is ok
    state: State = reached[-1] if reached else "ok"  # type: ignore[assignment]
    return Statistic(name, kind, round(value, 4), round(chance, 4), warning, alarm, state, *means)


def _mix(name: str, reference: Sequence[int], now: Sequence[int]) -> Statistic:
    """Of two samples of one mix, PSI over (1/n + 1/m) is about chi-squared (Yurdakul 2018)."""
    from scipy.special import chdtri  # the service starts without it where nothing is compared

    chance = chdtri(max(len(reference) - 1, 1), CHANCE) * (1 / max(sum(reference), 1) + 1 / max(sum(now), 1))
    return _statistic(name, "psi", psi(reference, now), float(chance))


def _categories(reference: Reference, window: Sequence[Observation]) -> Statistic:
    seen = Counter(one.category for one in window)
    names = sorted({*reference.category, *seen})
    return _mix("category", [reference.category.get(name, 0) for name in names], [seen[name] for name in names])


def _shift(name: str, reference: Reference, window: Sequence[Observation]) -> Statistic:
    from scipy.special import ndtri

    usual, now = reference.means[name], float(column(window, name).mean())
    chance = float(ndtri(1 - CHANCE / 2) * np.sqrt(1 / reference.posts + 1 / len(window)))
    value = (now - usual.mean) / max(usual.sd, SD_FLOOR)
    return _statistic(f"mean_{name}", "shift", value, chance, (usual.mean, round(now, 6)))


def compare(reference: Reference, window: Sequence[Observation]) -> list[Statistic]:
    """Every statistic of a window; none while it has fewer than MIN_POSTS posts."""
    if len(window) < MIN_POSTS:
        return []
    mixes = [
        _mix(name, (usual := reference.histograms[name]).counts, counts(column(window, name), usual.edges))
        for name in HISTOGRAMS
    ]
    return [_categories(reference, window), *mixes, *(_shift(name, reference, window) for name in MEANS)]


def worst(states: Sequence[State]) -> State:
    """The state of the whole; `too_few` where nothing could be compared."""
    return next((state for state in ("alarm", "warning", "ok") if state in states), "too_few")

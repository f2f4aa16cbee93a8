"""The `hotlist` head in use: hours of a hot-search topic in, likelihood of the alarm line within 6 h out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.hotlist import ARRAYS, HORIZON, WIDTH, HotWindows, episode_of, hot_windows_of
from data.hotlist_features import hot_features
from data.records import EscalationResult, Factor, Volume
from data.volume import Floats
from models.escalation import DIGITS, MAX_FACTORS, MIN_EFFECT, design, log_odds
from models.hotlist_words import HOT_GROUPS, describe_hot

HOT_TARGET = (
    "alarm_6h on first crossing: heat >= A within (t, t+6h], for a topic below A and never in alarm in its episode; "
    "A = alarm_threshold, in training the 95th percentile of the list's heat over 7 days; out of the top 50 is below A"
)


def within(features: Floats, low: Floats, middle: Floats, high: Floats) -> Floats:
    """What a logistic regression can read: medians for what is missing, no value beyond those of training."""
    return np.asarray(np.clip(np.where(np.isnan(features), middle, features), low, high))


@dataclass(frozen=True)
class HotlistModel:
    """Calibrated trees, and a calibrated logistic regression for topics at which the target is not defined.

    `low`, `middle`, `high`: of each feature in training (0.1 %, median, 99.9 %); the fallback reads no value beyond.
    """

    head: Literal["hotlist"]
    main: Any  # scikit-learn classifiers with predict_proba, calibrated
    fallback: Any
    names: tuple[str, ...]
    low: Floats
    middle: Floats
    high: Floats
    base_rate: float
    target: str = HOT_TARGET

    def probabilities(self, features: Floats, in_domain: NDArray[np.bool_]) -> Floats:
        """Likelihood per row: the trees, or the logistic regression where the row is out of domain: [n]."""
        found = np.empty(len(features))
        if in_domain.any():
            found[in_domain] = self.main.predict_proba(features[in_domain])[:, 1]
        if not in_domain.all():
            inside = within(features[~in_domain], self.low, self.middle, self.high)
            found[~in_domain] = self.fallback.predict_proba(inside)[:, 1]
        return found

    def in_domain(self, windows: HotWindows) -> NDArray[np.bool_]:
        """Documented rule, [n]: the newest hour and its place on the list are known, the line is above 0, and heat
        was below it at every hour of the present episode (of the last 48)."""
        episode = episode_of(windows.heat)
        crossed = (episode.seen & (windows.heat >= windows.line[:, None])).any(axis=1)
        known = ~np.isnan(windows.line) & ~np.isnan(windows.rank[:, -1])
        return np.asarray(known & (episode.newest == WIDTH - 1) & ~crossed)

    def predict(self, volumes: Sequence[Volume]) -> list[EscalationResult]:
        """Answer volumes that carry `heat` and `alarm_threshold`; one result each, in their order."""
        windows = hot_windows_of(volumes)
        features = design(hot_features(windows), self.names)
        fine = np.array([volume.interval_minutes <= 60 for volume in volumes])
        inside = self.in_domain(windows) & fine
        likelihood = self.probabilities(features, inside)
        effects = self._effects(features, inside, likelihood)
        return [
            self._result(volume, bool(inside[i]), float(likelihood[i]), self._factors(features[i], effects[i]))
            for i, volume in enumerate(volumes)
        ]

    def _result(self, volume: Volume, inside: bool, likelihood: float, factors: tuple[Factor, ...]) -> EscalationResult:
        heat = volume.heat or ()
        absent = [name for name in ARRAYS if getattr(volume, name) is None]
        return EscalationResult(
            head=self.head,
            probability=round(likelihood, DIGITS),
            base_rate=round(self.base_rate, DIGITS),
            lift=round(likelihood / self.base_rate, 2),
            horizon_hours=HORIZON,
            target=self.target,
            n_obs=sum(value is not None for value in heat),
            in_domain=inside,
            missing=(*absent, *(["heat"] if None in heat else [])),
            factors=factors,
        )

    @cached_property
    def _groups(self) -> dict[str, list[int]]:
        """Columns of each group of features that an answer explains."""
        columns = {group: [i for i, n in enumerate(self.names) if n.startswith(p)] for group, p in HOT_GROUPS.items()}
        return {group: where for group, where in columns.items() if where}

    def _effects(self, features: Floats, inside: NDArray[np.bool_], likelihood: Floats) -> Floats:
        """Log-odds that each group adds: what is lost when the group is set to its medians, [n, groups]."""
        changed = np.tile(features, (len(self._groups), 1, 1))
        for rows, where in zip(changed, self._groups.values(), strict=True):
            rows[:, where] = np.where(np.isnan(rows[:, where]), np.nan, self.middle[where])
        flat = self.probabilities(changed.reshape(-1, features.shape[1]), np.tile(inside, len(self._groups)))
        return np.asarray(log_odds(likelihood)[:, None] - log_odds(flat).reshape(len(self._groups), -1).T)

    def _factors(self, row: Floats, effects: Floats) -> tuple[Factor, ...]:
        """The strongest groups in words, strongest first."""
        values = defaultdict(lambda: float("nan"), zip(self.names, row.tolist(), strict=True))
        signed = dict(zip(self._groups, effects.tolist(), strict=True))
        strongest = sorted(signed, key=lambda group: -abs(signed[group]))[:MAX_FACTORS]
        return tuple(
            Factor(group, describe_hot(group, values), round(signed[group], 2))
            for group in strongest
            if abs(signed[group]) >= MIN_EFFECT
        )

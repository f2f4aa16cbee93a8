"""The escalation model in use: volumes up to now in, likelihood that the topic escalates within the horizon out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.records import EscalationResult, Factor, Volume
from data.volume import HORIZON, PRIOR, Floats, Windows, count_features, windows_of
from models.escalation_words import GROUPS, describe

TARGET = (
    "N(t, t+6h] >= max(1.5 * N(t-6h, t] * r(t), 20), r(t) = usual posts of the next 6 h over those of the last 6 h "
    "by hour of day"
)
OPTIONAL = {"authors": "author_", "negative": "negative_"}  # arrays read where they are given, prefix of their features
MIN_TOTAL, MIN_RECENT = 20, 10  # posts in all and in the last 6 h at which the target is defined
MAX_AGE = 48  # hours of age up to which the training series were cut
SCALED = (
    "log_1h",
    "log_2h",
    "log_3h",
    "log_6h",
    "log_12h",
    "log_24h",
    "log_total",
    "log_peak",
    "log_needed",
    "intensity_0.36h",
    "intensity_1.44h",
    "intensity_5.8h",
)  # grow with the size of a topic
MAX_FACTORS, MIN_EFFECT = 4, 0.05  # groups that an answer names, and the log-odds below which it does not
DIGITS = 4


def design(features: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Features as a matrix in the model's order: [n, features]."""
    return np.column_stack([features[name] for name in names])


def log_odds(probability: Floats) -> Floats:
    """ln(p / (1 - p)), finite for 0 and 1."""
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def scale_free(names: Sequence[str]) -> list[int]:
    """Columns that say how a topic moves, not how large it is."""
    return [i for i, name in enumerate(names) if name not in SCALED]


def total_posts(features: Floats, names: Sequence[str]) -> Floats:
    """Posts of the topic so far, back from their logarithm: [n]."""
    return np.asarray(np.exp(features[:, names.index("log_total")]) - PRIOR)


@dataclass(frozen=True)
class EscalationModel:
    """Calibrated trees, and a fallback for topics unlike those they were trained on.

    The fallback sees only features without a scale: a topic ten times larger than any seen moves like a small one.
    (Logistic regression in its place gave a topic that doubles every hour half the base rate; trees give 2.5 times.)
    `middle`: medians of the features in training; `limit`: posts, with those needed to escalate, that the training
    series hold.
    """

    head: Literal["counts", "hotlist"]
    main: Any  # scikit-learn classifiers with predict_proba, calibrated
    fallback: Any
    names: tuple[str, ...]
    diurnal: Floats
    middle: Floats
    limit: float
    base_rate: float
    target: str = TARGET

    def probabilities(self, features: Floats, in_domain: NDArray[np.bool_]) -> Floats:
        """Likelihood per row: the main model, or the fallback where the row is out of domain: [n]."""
        found = np.empty(len(features))
        if in_domain.any():
            found[in_domain] = self.main.predict_proba(features[in_domain])[:, 1]
        if not in_domain.all():
            free = features[~in_domain][:, scale_free(self.names)]
            found[~in_domain] = self.fallback.predict_proba(free)[:, 1]
        return found

    def in_domain(self, windows: Windows, features: Floats) -> NDArray[np.bool_]:
        """Documented rule, [n]: at least 20 posts, 10 of them in the last 6 h, all of which are known; at most 48 h of
        age; and posts so far with those needed to escalate within `limit`."""
        posts = np.nan_to_num(windows.counts)
        enough = (posts.sum(1) >= MIN_TOTAL) & (posts[:, -HORIZON:].sum(1) >= MIN_RECENT)
        known = ~np.isnan(windows.counts[:, -HORIZON:]).any(axis=1)
        needed = np.exp(features[:, self.names.index("log_needed")])
        held = total_posts(features, self.names) + needed <= self.limit
        return np.asarray(held & enough & known & (windows.length <= MAX_AGE))

    def predict(self, volumes: Sequence[Volume]) -> list[EscalationResult]:
        """Answer volumes that carry `counts`; one result each, in their order."""
        windows = windows_of(volumes)
        features = design(count_features(windows, self.diurnal), self.names)
        fine = np.array([volume.interval_minutes <= 60 for volume in volumes])
        inside = self.in_domain(windows, features) & fine
        likelihood = self.probabilities(features, inside)
        effects = self._effects(features, inside, likelihood)
        return [
            self._result(volume, bool(inside[i]), float(likelihood[i]), self._factors(features[i], effects[i]))
            for i, volume in enumerate(volumes)
        ]

    def _result(self, volume: Volume, inside: bool, likelihood: float, factors: tuple[Factor, ...]) -> EscalationResult:
        counts = volume.counts or ()
        absent = [name for name in self._optional if getattr(volume, name) is None]
        absent += ["counts"] if None in counts else []
        return EscalationResult(
            head=self.head,
            probability=round(likelihood, DIGITS),
            base_rate=round(self.base_rate, DIGITS),
            lift=round(likelihood / self.base_rate, 2),
            horizon_hours=HORIZON,
            target=self.target,
            n_obs=sum(count is not None for count in counts),
            in_domain=inside,
            missing=tuple(absent),
            factors=factors,
        )

    @cached_property
    def _optional(self) -> tuple[str, ...]:
        """Optional arrays that this model has learnt to read."""
        return tuple(name for name, prefix in OPTIONAL.items() if any(n.startswith(prefix) for n in self.names))

    @cached_property
    def _groups(self) -> dict[str, list[int]]:
        """Columns of each group of features that an answer explains."""
        columns = {group: [i for i, n in enumerate(self.names) if n.startswith(p)] for group, p in GROUPS.items()}
        return {group: where for group, where in columns.items() if where}

    def _effects(self, features: Floats, inside: NDArray[np.bool_], likelihood: Floats) -> Floats:
        """Log-odds that each group adds: what is lost when the group is set to its medians, [n, groups]."""
        changed = np.tile(features, (len(self._groups), 1, 1))
        for rows, where in zip(changed, self._groups.values(), strict=True):
            rows[:, where] = self.middle[where]
        flat = self.probabilities(changed.reshape(-1, features.shape[1]), np.tile(inside, len(self._groups)))
        return np.asarray(log_odds(likelihood)[:, None] - log_odds(flat).reshape(len(self._groups), -1).T)

    def _factors(self, row: Floats, effects: Floats) -> tuple[Factor, ...]:
        """The strongest groups in words, strongest first."""
        values = dict(zip(self.names, row.tolist(), strict=True))
        signed = dict(zip(self._groups, effects.tolist(), strict=True))
        strongest = sorted(signed, key=lambda group: -abs(signed[group]))[:MAX_FACTORS]
        return tuple(
            Factor(group, describe(group, values), round(signed[group], 2))
            for group in strongest
            if abs(signed[group]) >= MIN_EFFECT
        )

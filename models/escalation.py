"""The escalation model in use: volumes up to now in, likelihood that the topic escalates within the horizon out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
OPTIONAL = ("authors", "negative")  # arrays that the model reads where they are given
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
MAX_FACTORS = 4
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


def clipped(features: Floats, low: Floats, middle: Floats, high: Floats) -> Floats:
    """Features inside the range seen in training, missing ones at the median: for models that must not extrapolate."""
    inside = np.clip(features, low, high)
    return np.where(np.isnan(inside), middle, inside)


@dataclass(frozen=True)
class EscalationModel:
    """A calibrated model with its fallback for topics unlike those it was trained on.

    `low`, `middle`, `high`: 0.1, 50 and 99.9 % quantiles of each feature in training. The fallback (logistic
    regression) sees only features without a scale, clipped to that range: a topic ten times larger than any seen moves
    like a small one, and nothing is extrapolated. `limit`: posts, with those needed to escalate, that the training
    series hold.
    """

    head: Literal["counts", "hotlist"]
    main: Any  # scikit-learn classifiers with predict_proba, calibrated
    fallback: Any
    names: tuple[str, ...]
    diurnal: Floats
    low: Floats
    middle: Floats
    high: Floats
    limit: float
    base_rate: float
    target: str = TARGET

    def probabilities(self, features: Floats, in_domain: NDArray[np.bool_]) -> Floats:
        """Likelihood per row: the main model, or the fallback where the row is out of domain: [n]."""
        found = np.empty(len(features))
        if in_domain.any():
            found[in_domain] = self.main.predict_proba(features[in_domain])[:, 1]
        if not in_domain.all():
            outside = clipped(features[~in_domain], self.low, self.middle, self.high)
            found[~in_domain] = self.fallback.predict_proba(outside[:, scale_free(self.names)])[:, 1]
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
        return [
            self._result(volume, features[i], bool(inside[i]), float(likelihood[i])) for i, volume in enumerate(volumes)
        ]

    def _result(self, volume: Volume, row: Floats, inside: bool, likelihood: float) -> EscalationResult:
        counts = volume.counts or ()
        absent = [name for name in OPTIONAL if getattr(volume, name) is None]
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
            factors=self._factors(row, inside),
        )

    def _factors(self, row: Floats, inside: bool) -> tuple[Factor, ...]:
        """Effect of each group of features: log-odds lost when the group is set to its medians; strongest first."""
        columns = {group: [i for i, n in enumerate(self.names) if n.startswith(p)] for group, p in GROUPS.items()}
        columns = {group: where for group, where in columns.items() if where}
        rows = np.tile(row, (len(columns) + 1, 1))
        for line, where in enumerate(columns.values(), 1):
            rows[line, where] = self.middle[where]
        odds = log_odds(self.probabilities(rows, np.full(len(rows), inside)))
        values = dict(zip(self.names, row.tolist(), strict=True))
        effects = dict(zip(columns, (odds[0] - odds[1:]).tolist(), strict=True))
        strongest = sorted(effects, key=lambda group: -abs(effects[group]))[:MAX_FACTORS]
        return tuple(
            Factor(group, describe(group, values), round(effects[group], 2))
            for group in strongest
            if abs(effects[group]) >= 0.05
        )

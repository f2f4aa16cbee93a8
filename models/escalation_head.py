"""What both escalation heads share: likelihoods to answers, with the groups of features that explain them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from data.records import Volume
from data.results import EscalationResult, Factor, Outlook
from data.volume_windows import Floats
from models.staleness import is_stale

MAX_FACTORS, MIN_EFFECT = 4, 0.05  # groups that an answer names, and the log-odds below which it does not
DIGITS = 4
COLD = 2  # observations up to which an answer is a cold start

TIMELESS = ("clock",)  # groups that say something true where nothing was observed

Inside = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a head could read of a volume: observations, names of what is not there, and what a desk must know."""

    n_obs: int
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    crossed: bool = False  # the event that the head foretells has happened
    said: Mapping[str, float] = field(default_factory=dict)  # what the words say instead of the features
    current: bool = True  # else the answer is that of the last look, and out of domain

    @property
    def cold(self) -> bool:
        return self.n_obs <= COLD

    @property
    def told(self) -> tuple[str, ...]:
        """`warnings`, after that of a cold start."""
        if not self.cold:
            return self.warnings
        some = f"仅有{self.n_obs}次观测（冷启动），结果主要反映当前水平"
        return (some if self.n_obs else "没有可用的观测（冷启动），结果不反映话题本身", *self.warnings)


def design(features: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Features as a matrix in the model's order: [n, features]."""
    return np.column_stack([features[name] for name in names])


def log_odds(probability: Floats) -> Floats:
    """ln(p / (1 - p)), finite for 0 and 1."""
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def sound(likelihood: Floats) -> Floats:
    """The same likelihoods; FloatingPointError when one is no number, so that its volume fails and no other."""
    if not np.isfinite(likelihood).all():
        raise FloatingPointError("the head gave a likelihood that is no number")
    return likelihood


class EscalationHead(ABC):
    """A fitted head. `groups`: the prefixes of the features of each group.

    `calibrated_until`: end of the labels that taught the calibration, hours since 1970 (None = not on record);
    an answer says so (`calibration_stale`) when it is more than `warn_after_days` older than the volume. A head whose
    data are old would repeat a sentence in every answer; the log of the start and `GET /model` have the sentence.
    """

    groups: ClassVar[Mapping[str, tuple[str, ...]]]
    horizon_hours: ClassVar[int]

    head: Literal["counts", "hotlist"]
    names: tuple[str, ...]
    middle: Floats
    base_rate: float
    target: str
    calibrated_until: float | None
    warn_after_days: int

    @abstractmethod
    def probabilities(self, features: Floats, in_domain: Inside) -> Floats:
        """Likelihood per row, by the model that its domain asks for: [n]."""

    @abstractmethod
    def say(self, group: str, values: Mapping[str, float]) -> str:
        """A group with the values of its features, in words."""

    def neutral(self, values: Floats, columns: list[int]) -> Floats:
        """Values of a group as if it said nothing: the medians of training."""
        return np.broadcast_to(self.middle[columns], values.shape)

    @property
    def read(self) -> tuple[str, ...]:
        """Names of the columns of the features that the head reads."""
        return self.names

    @cached_property
    def columns(self) -> dict[str, list[int]]:
        """Columns of each group of features that an answer explains."""
        found = {group: [i for i, n in enumerate(self.read) if n.startswith(p)] for group, p in self.groups.items()}
        return {group: where for group, where in found.items() if where}

    def explained(self, features: Floats, inside: Inside) -> tuple[Floats, Floats]:
        """Likelihood per row, [n], and the log-odds that each group adds to it, [n, groups]: what is lost when the
        group is neutral. All in one call of the models, since a call costs far more than its rows."""
        copies = np.tile(features, (1 + len(self.columns), 1, 1))
        for rows, where in zip(copies[1:], self.columns.values(), strict=True):
            rows[:, where] = self.neutral(rows[:, where], where)
        flat = self.altered(copies.reshape(-1, features.shape[1]), features, inside)
        likelihood, without = np.split(flat.reshape(len(copies), -1), [1])
        return likelihood[0], np.asarray(log_odds(likelihood).T - log_odds(without).T)

    def altered(self, copies: Floats, features: Floats, inside: Inside) -> Floats:
        """Likelihood of altered copies [k n] of all rows, each by the model that answers the row itself."""
        return self.probabilities(copies, np.tile(inside, len(copies) // max(len(features), 1)))

    def factors(self, row: Floats, effects: Floats, seen: Observed) -> tuple[Factor, ...]:
        """The strongest groups in words, strongest first; those of TIMELESS only where nothing was `seen`."""
        values = defaultdict(lambda: float("nan"), zip(self.read, row.tolist(), strict=True))
        values.update(seen.said)
        signed = dict(zip(self.columns, effects.tolist(), strict=True))
        strongest = sorted(signed, key=lambda group: -abs(signed[group]))[:MAX_FACTORS]
        return tuple(
            Factor(group, self.say(group, values), round(signed[group], 2))
            for group in strongest
            if abs(signed[group]) >= MIN_EFFECT and (seen.n_obs or group in TIMELESS)
        )

    def outlooks(self, features: Floats, inside: Inside, likelihood: Floats) -> Sequence[Outlook | None]:
        """What the head says about a longer horizon, per row beside its `likelihood`; None where it says nothing."""
        return [None] * len(features)

    @property
    def calibration_end(self) -> datetime | None:
        """`calibrated_until` as a time."""
        if self.calibrated_until is None:
            return None
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=self.calibrated_until)

    def stale(self, as_of: datetime) -> bool:
        """Whether the calibration is older at that time than is configured."""
        return is_stale(self.calibration_end, as_of, self.warn_after_days)

    def answers(
        self, features: Floats, inside: Inside, observed: Sequence[Observed], volumes: Sequence[Volume]
    ) -> list[EscalationResult]:
        """One result per row of features."""
        likelihood, effects = self.explained(features, inside)
        sound(likelihood)
        later = self.outlooks(features, inside, likelihood)
        return [
            EscalationResult(
                head=self.head,
                probability=round(float(likelihood[i]), DIGITS),
                base_rate=round(self.base_rate, DIGITS),
                lift=round(float(likelihood[i]) / self.base_rate, 2),
                horizon_hours=self.horizon_hours,
                target=self.target,
                n_obs=seen.n_obs,
                in_domain=bool(inside[i] and seen.current),
                missing=seen.missing,
                factors=self.factors(features[i], effects[i], seen),
                cold_start=seen.cold,
                crossed=seen.crossed,
                calibrated_until=self.calibration_end,
                calibration_stale=self.stale(volumes[i].as_of),
                warnings=seen.told,
                later=later[i] if seen.current else None,
            )
            for i, seen in enumerate(observed)
        ]

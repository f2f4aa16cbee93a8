"""What comes out: the answer to one item and its parts, plain frozen dataclasses like `data.records`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the caller's own text: `text[start:end]`, in characters."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A word that speaks for the predicted category; `weight`, above 0, is its share of the log-odds lost."""

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Signal:
    """An attribute found by the lexicon, with the words that show it."""

    id: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class CategoryResult:
    """The decided category, its calibrated probability, and the `set` of those that are still possible (conformal).

    The likeliest crisis is decided unless none is as many times as probable as missing it costs: `miss_cost` in the
    bundle, with `miss_by_rank` for rank 2 and in proportion to the expected rank.
    """

    id: str
    name: str
    probability: float
    set: tuple[str, ...]
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SeverityResult:
    """Harm stated in the text; `rank` rises with harm (the legal levels Ⅳ-Ⅰ fall)."""

    rank: int
    level: str
    name: str
    color: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason of an escalation answer: signed effect in log-odds, in words a desk understands."""

    name: str
    text: str
    effect: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """Likelihood of the same event within a longer horizon."""

    horizon_hours: int
    probability: float
    base_rate: float
    lift: float


@dataclass(frozen=True, slots=True)
class EscalationResult:
    """Likelihood that the topic escalates within the horizon, beside the base rate of the training series."""

    head: Literal["counts", "hotlist"]
    probability: float
    base_rate: float
    lift: float
    horizon_hours: int
    target: str
    n_obs: int
    in_domain: bool
    missing: tuple[str, ...]
    factors: tuple[Factor, ...]
    cold_start: bool = False  # one or two observations: little more than the level is known
    crossed: bool = False  # past the alarm line in its present episode: what the probability is about has happened
    calibrated_until: datetime | None = None  # end of the data that the calibration learnt from
    calibration_stale: bool = False  # that end lies longer before the volume than is configured
    warnings: tuple[str, ...] = ()
    later: Outlook | None = None
    lift_band: str | None = None  # id of the risk policy's band that the lift counts in, with what has crossed

    @property
    def told_lift(self) -> float | None:
        """`lift` as the risk policy reads it: none where no hour was read, since it then speaks of no topic."""
        return self.lift if self.n_obs else None


@dataclass(frozen=True, slots=True)
class RiskResult:
    """What the policy table makes of severity and likelihood: who must act, and how fast."""

    rank: int
    level: str
    name: str
    respond_within_minutes: int | None
    notify: tuple[str, ...]
    first_steps: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item could not be scored."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to one item. Category and severity are null without text, escalation without volume."""

    id: str | None
    category: CategoryResult | None = None
    severity: SeverityResult | None = None
    signals: tuple[Signal, ...] = ()
    escalation: EscalationResult | None = None
    risk: RiskResult | None = None
    needs_review: bool = False
    evidence: tuple[Evidence, ...] = ()
    model: str = ""
    error: ItemError | None = None
    prediction_id: str | None = None  # for corrections and deletion; null where nothing is stored

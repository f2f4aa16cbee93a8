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
    """The word as it stands in the text."""
    start: int
    """Its first character, from 0, in Unicode code points of the text as it was sent."""
    end: int
    """The end, which is the place after its last character."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A word that speaks for the predicted category; `weight`, above 0, is its share of the log-odds lost."""

    text: str
    """The word as it stands in the text."""
    start: int
    """Its first character, from 0, in Unicode code points of the text as it was sent."""
    end: int
    """The end, which is the place after its last character."""
    weight: float
    """Its share of the log-odds that the category loses when the told words are taken out together."""


@dataclass(frozen=True, slots=True)
class Signal:
    """An attribute found by the lexicon, with the words that show it."""

    id: str
    """Which attribute, such as `media_involved`; `watch_word` for words that the operator has given."""
    words: tuple[Word, ...]
    """Where the text shows it."""


@dataclass(frozen=True, slots=True)
class CategoryResult:
    """The decided category, its calibrated probability, and the `set` of those that are still possible (conformal).

    The likeliest crisis is decided unless none is as many times as probable as missing it costs: `miss_cost` in the
    bundle, with `miss_by_rank` for rank 2 and in proportion to the expected rank.
    """

    id: str
    """The decided category, as `GET /taxonomy` lists it; `none` is no crisis."""
    name: str
    """Its Chinese name."""
    probability: float
    """Calibrated probability of the decided category, which need not be the most probable one."""
    set: tuple[str, ...]
    """Ids of the categories that are still possible, the most probable first: wanted to hold the true one in 90 % of
    the posts."""
    probabilities: Mapping[str, float]
    """Calibrated probability of every category, by id."""


@dataclass(frozen=True, slots=True)
class SeverityResult:
    """Harm stated in the text; `rank` rises with harm (the legal levels Ⅳ-Ⅰ fall)."""

    rank: int
    """0 (no harm) to 4; 0 if and only if the category is `none`. Of a text that is too long to be read at once both may
    be those of its gravest piece."""
    level: str
    """Legal numeral, which falls as harm rises: Ⅳ for rank 1, Ⅰ for rank 4; 无 for rank 0."""
    name: str
    """Chinese name of the level."""
    color: str
    """Warning colour of the level; not that of the risk."""
    probabilities: tuple[float, ...]
    """Calibrated probability of each rank, from 0 up."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason of an escalation answer: signed effect in log-odds, in words a desk understands."""

    name: str
    """Group of features, such as `momentum`."""
    text: str
    """What the group shows, in Chinese."""
    effect: float
    """What it adds to the log-odds of an escalation; below 0 it lowers them."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Likelihood of the same event within a longer horizon."""

    horizon_hours: int
    """Length of the longer horizon."""
    probability: float
    """Calibrated probability within it."""
    base_rate: float
    """How often it came within it in the training series."""
    lift: float
    """`probability` over `base_rate`."""


@dataclass(frozen=True, slots=True)
class EscalationResult:
    """Likelihood that the topic escalates within the horizon, beside the base rate of the training series."""

    head: Literal["counts", "hotlist"]
    """Which head answers: `counts` reads posts by the hour, `hotlist` the heat on the hot-search list."""
    probability: float
    """Calibrated probability that what `target` says happens within the horizon."""
    base_rate: float
    """How often it happened in the training series."""
    lift: float
    """`probability` over `base_rate`; the risk policy reads it, unless `n_obs` is 0, which counts as no volume."""
    horizon_hours: int
    """Length of the horizon, from `as_of` on."""
    target: str
    """What counts as an escalation, for this head."""
    n_obs: int
    """Hours that were read (bins, where these are longer); of `hotlist` those that show the topic."""
    in_domain: bool
    """Whether the topic is like those that taught the head. Where false, mostly a fallback answers: trust the ranking,
    not the number; `warnings` says why."""
    missing: tuple[str, ...]
    """Arrays that were not given or not measured."""
    factors: tuple[Factor, ...]
    """What raises or lowers the likelihood."""
    cold_start: bool = False
    """Whether no more than two hours are known: little more than the level is."""
    crossed: bool = False
    """Whether the topic is past the alarm line in its present episode (`hotlist` only): what the probability is about
    has happened, so the policy counts it as 3-8 times at least, unless its table says otherwise."""
    calibrated_until: datetime | None = None
    """End of the data that the calibration learnt from; null where it is not known."""
    calibration_stale: bool = False
    """Whether that end lies longer before the volume than is configured (90 days)."""
    warnings: tuple[str, ...] = ()
    """What to beware of in this answer, in words."""
    later: Outlook | None = None
    """The same for 24 h (`hotlist` only, in domain, for a topic on the list at a known place), else null."""
    lift_band: str | None = None
    """Id of the band of the risk policy that the lift counts in, with what has crossed."""

    @property
    def told_lift(self) -> float | None:
        """`lift` as the risk policy reads it: none where no hour was read, since it then speaks of no topic."""
        return self.lift if self.n_obs else None


@dataclass(frozen=True, slots=True)
class RiskResult:
    """What the policy table makes of severity and likelihood: who must act, and how fast."""

    rank: int
    """0 to 4; not that of the severity."""
    level: str
    """`green`, `blue`, `yellow`, `orange` or `red` in the shipped policy."""
    name: str
    """Chinese name of the level."""
    respond_within_minutes: int | None
    """Minutes until somebody must have acted; null: nobody has to."""
    notify: tuple[str, ...]
    """Roles that are told."""
    first_steps: tuple[str, ...]
    """What to do first."""
    reasons: tuple[str, ...]
    """Why this level, in Chinese."""


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item could not be scored."""

    code: str
    """`invalid_input`, `empty_text` (nothing is left to read), `no_text_model` or `no_escalation_head` (the bundle has
    no such part), `scoring_failed` or `internal_error` (a fault of the service); more may come."""
    message: str
    """Why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to one item. Category and severity are null without text, escalation without volume."""

    id: str | None
    """That of the item."""
    category: CategoryResult | None = None
    """What kind of trouble the text tells; null without a text that could be scored."""
    severity: SeverityResult | None = None
    """How bad the stated harm is; null without a text that could be scored."""
    signals: tuple[Signal, ...] = ()
    """Attributes that a lexicon finds in the text."""
    escalation: EscalationResult | None = None
    """Whether the topic is about to grow; null without a volume that could be scored."""
    risk: RiskResult | None = None
    """Who must act, and how fast; null where nothing could be scored."""
    needs_review: bool = False
    """Whether the model doubts (tuned to mark about 15 % of the posts), a signal contradicts a low severity
    (`review_below` of the risk policy), the text is longer than the model reads at once (256 tokens) or none that
    it can read (another language, wrongly decoded), or it could not be scored: let a person look."""
    evidence: tuple[Evidence, ...] = ()
    """With `explain`: up to three words whose removal lowers the decided category most, the strongest first."""
    model: str = ""
    """Id of the bundle that answered."""
    error: ItemError | None = None
    """Why a part of the item, or all of it, could not be scored; null where all was."""
    prediction_id: str | None = None
    """What `POST /feedback` and `DELETE /predictions/{id}` ask for; null where nothing is stored."""

"""The numbers that turn raw logits into probabilities and decisions, fitted on a validation part."""

from __future__ import annotations

from dataclasses import dataclass

from data.bounds import Finite, Positive, Share, Weight

FIRST_STAGE = "/first-stage"  # ends the `model` of an answer that the first stage gave alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weight of the second reader, shape of the logits, temperatures, the conformal floor, the decision thresholds.

    Within their bounds no number that a manifest holds can turn an answer into nan or upside down.

    gap_power: of the distances of the BERT's category logits from their highest, before anything is added. Label
        smoothing in the training holds the improbable ones too near; one temperature for all cannot undo that.
    lexical_weight: of the lexical model's category logits, added to the BERT's before the temperature.
    category_bias: added to the category logits before the temperature; empty = none. It undoes the class weights of
        the training, which make rare categories too probable.
    conformal_floor: a category is in the set when its probability reaches this (coverage as in `coverage`); where none
        has a half, the likeliest are that together reach the coverage.
    miss_cost: how much worse taking a crisis for none is than a false alarm (see models.probabilities.decide).
    miss_by_rank: whether that is so for rank 2, and more or less in proportion to the expected rank.
    under_cost: how much worse grading a crisis too low is than too high (see models.probabilities.decide).
    review_doubt: an item needs review when 1 - confidence exceeds this (see models.probabilities.confidence).
    """

    gap_power: Positive = 1.0
    lexical_weight: Weight = 0.0
    category_bias: tuple[Finite, ...] = ()
    category_temperature: Positive = 1.0
    severity_temperature: Positive = 1.0
    conformal_floor: Finite = 0.0
    coverage: Share = 0.9
    miss_cost: Positive = 1.0
    miss_by_rank: bool = False
    under_cost: Positive = 1.0
    review_doubt: Finite = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStage:
    """When the second reader settles a post alone, as none, so that the BERT need not read it (offered for batch).

    floor: P(none) of the second reader alone from which a post is settled.
    temperature: of the second reader's logits where it answers alone.
    severity_logits: continuation logits that a settled post gets for the case that it is a crisis after all; the
        second reader knows no severity, so they are the shares of the ranks among the crises of the validation part.
    none_weights: of the log-probabilities that the second reader gives to the categories, and at the end a constant:
        together the log-odds of none; empty = those of its own logits (bundles from before there were any).
    """

    floor: Finite
    temperature: Positive
    severity_logits: tuple[Finite, ...]
    none_weights: tuple[Finite, ...] = ()

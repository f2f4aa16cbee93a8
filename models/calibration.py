"""The numbers that turn raw logits into probabilities and decisions, fitted on a validation part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weight of the second reader, bias, temperatures per head, the conformal floor, the two decision thresholds.

    lexical_weight: of the lexical model's category logits, added to the BERT's before the temperature.
    category_bias: added to the category logits before the temperature; empty = none. It undoes the class weights of
        the training, which make rare categories too probable.
    conformal_floor: a category is in the set when its probability reaches this (coverage as in `coverage`).
    under_cost: how much worse grading a crisis too low is than too high (see models.probabilities.decide).
    review_doubt: an item needs review when 1 - P(category) * P(rank) exceeds this.
    """

    lexical_weight: float = 0.0
    category_bias: tuple[float, ...] = ()
    category_temperature: float = 1.0
    severity_temperature: float = 1.0
    conformal_floor: float = 0.0
    coverage: float = 0.9
    under_cost: float = 1.0
    review_doubt: float = 1.0

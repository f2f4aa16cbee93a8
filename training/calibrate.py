"""Fit the calibration on validation logits: blend weight, temperatures, conformal floor, decision thresholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from models.calibration import Calibration
from models.probabilities import category_probabilities, severity_probabilities
from models.text import blend, interpret
from training.metrics import qwk, under_grading_rate

Logits = NDArray[np.floating]
Labels = NDArray[np.int64]

UNDER_COSTS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # tried on the validation part
QWK_TOLERANCE = 0.002  # a higher cost may lose this much QWK
REVIEW_SHARE = 0.15  # of posts that a desk can read again


def _nll(probabilities: NDArray[np.float64], labels: Labels) -> float:
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())


def _best_temperature(loss: object) -> float:
    found = minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded")
    return float(np.exp(found.x))


def fit_temperatures(category_logits: Logits, severity_logits: Logits, category: Labels, rank: Labels) -> Calibration:
    """Temperature of each head by maximum likelihood (Guo et al. 2017); severity is fitted on crises only."""
    first = _best_temperature(lambda t: _nll(category_probabilities(category_logits, np.exp(t)), category))
    crisis = rank > 0
    if not crisis.any():
        return Calibration(category_temperature=first)
    never = np.zeros(crisis.sum())
    second = _best_temperature(
        lambda t: _nll(severity_probabilities(never, severity_logits[crisis], np.exp(t)), rank[crisis])
    )
    return Calibration(category_temperature=first, severity_temperature=second)


def fit_lexical_weight(category_logits: Logits, lexical_logits: Logits, category: Labels) -> float:
    """Weight of the second reader beside the BERT, by maximum likelihood together with the temperature."""

    def loss(logs: NDArray[np.float64]) -> float:
        weight, temperature = np.exp(logs)
        return _nll(category_probabilities(blend(category_logits, lexical_logits, weight), temperature), category)

    return float(np.exp(minimize(loss, np.log([0.5, 1.0]), method="Nelder-Mead").x[0]))


def conformal_floor(probabilities: NDArray[np.float64], labels: Labels, coverage: float) -> float:
    """Split conformal prediction with the LAC score (Sadinle et al. 2019), with its finite-sample correction."""
    true = np.sort(probabilities[np.arange(len(labels)), labels])
    allowed = int(np.floor((1 - coverage) * (len(labels) + 1)))  # true labels that may stay outside
    return float(true[allowed - 1]) if allowed else 0.0


def choose_under_cost(category_logits: Logits, severity_logits: Logits, rank: Labels, base: Calibration) -> float:
    """Of the costs within QWK_TOLERANCE of the best QWK, the one that under-grades rank >= 3 least."""
    scored = []
    for cost in UNDER_COSTS:
        decided = interpret(category_logits, severity_logits, replace(base, under_cost=cost)).rank
        scored.append((qwk(rank, decided), -under_grading_rate(rank, decided), -cost))
    best = max(kappa for kappa, _, _ in scored)
    _, _, cost = max((row for row in scored if row[0] >= best - QWK_TOLERANCE), key=lambda row: row[1:])
    return -cost


def fit_calibration(
    category_logits: Logits,
    severity_logits: Logits,
    category: Labels,
    rank: Labels,
    lexical_logits: Logits | None = None,
) -> Calibration:
    """All numbers of `Calibration` from one validation part: logits [n, ...], labels [n]."""
    weight = 0.0
    if lexical_logits is not None:
        weight = fit_lexical_weight(category_logits, lexical_logits, category)
        category_logits = blend(category_logits, lexical_logits, weight)
    fitted = replace(fit_temperatures(category_logits, severity_logits, category, rank), lexical_weight=weight)
    fitted = replace(fitted, under_cost=choose_under_cost(category_logits, severity_logits, rank, fitted))
    predictions = interpret(category_logits, severity_logits, fitted)
    return replace(
        fitted,
        conformal_floor=conformal_floor(predictions.category, category, fitted.coverage),
        review_doubt=float(np.quantile(1 - predictions.confidence, 1 - REVIEW_SHARE)),
    )

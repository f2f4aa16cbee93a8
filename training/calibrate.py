"""Fit the calibration on validation logits: blend weight, prior, temperatures, conformal floor, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from models.calibration import Calibration
from models.probabilities import category_probabilities, severity_probabilities
from models.text import blend, interpret
from training.metrics import log_loss, macro_f1, qwk, under_grading_rate

Logits = NDArray[np.floating]
Labels = NDArray[np.int64]

MISS_COSTS = (1.0, 1.25, 1.5, 2.0)  # tried on the validation part; more would show a desk too much
UNDER_COSTS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # tried on the validation part
QWK_TOLERANCE = 0.002  # a higher cost may lose this much QWK
LOG_GAP_POWERS = (-0.7, 0.7)  # half and twice: few rows must not bend the logits further
# How far the prior and the logarithms of temperature, power and weight lie from 0 in usual fits (standard deviations).
USUAL = np.array([0.3, 0.5, 0.5, 1.0])
STEP, GAIN = 0.5, 1e-6  # first step of a search, and what a further one must gain
PRECISION = {"maxiter": 3_000, "xatol": 1e-5, "fatol": 1e-8}
REVIEW_SHARE = 0.15  # of posts that a desk can read again


def fit_category(category_logits: Logits, category: Labels, lexical_logits: Logits | None = None) -> Calibration:
    """Shape, prior and temperature of the category head and the second reader's weight: the likeliest a posteriori.

    Training weights rare categories up, so their logits lie too high by about power * -log(count). The bias adds
    `prior` * log(count) back (logit adjustment, Menon et al. 2021); one number, so that few rows can carry it.
    USUAL weighs as a row or two. Without it 20 posts that are all answered right made every answer certain, and 30 of
    which none is a crisis had most crises answered with none.
    """
    counts = np.log(np.bincount(category, minlength=category_logits.shape[1]) + 1.0)
    counts -= counts.mean()

    def made(found: NDArray[np.float64]) -> Calibration:
        prior, temperature, power, *weight = found
        return Calibration(
            gap_power=float(np.exp(np.clip(power, *LOG_GAP_POWERS))),
            lexical_weight=float(np.exp(weight[0])) if weight else 0.0,
            category_bias=tuple((prior * counts).tolist()),
            category_temperature=float(np.exp(temperature)),
        )

    def loss(found: NDArray[np.float64]) -> float:
        tried = made(found)
        logits = blend(category_logits, lexical_logits, tried) + np.array(tried.category_bias)
        likelihood = log_loss(category_probabilities(logits, tried.category_temperature), category)
        return likelihood + _unusual(found) / len(category)

    start = np.zeros(3 if lexical_logits is None else 4)
    ends = (_search(loss, start + power * np.eye(len(start))[2]) for power in (0.0, *LOG_GAP_POWERS))
    return made(min(ends, key=loss))


def _unusual(found: NDArray[np.float64]) -> float:
    """Minus the log-density of USUAL, up to a constant."""
    return float(((found / USUAL[: len(found)]) ** 2).sum() / 2)


def _search(loss: Callable[[NDArray[np.float64]], float], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where Nelder-Mead ends that begins again where it ended, until that gains nothing.

    Its first steps are STEP long: on few posts scipy's own of 0.00025 from a zero led it onto ridges from which it did
    not return.
    """
    best, least = start, float("inf")
    while True:
        options = {"initial_simplex": np.vstack([best, best + STEP * np.eye(len(best))]), **PRECISION}
        end = minimize(loss, best, method="Nelder-Mead", options=options)
        if not end.fun < least - GAIN:
            return best
        best, least = end.x, float(end.fun)


def fit_severity(severity_logits: Logits, rank: Labels) -> float:
    """Temperature of the severity head (Guo et al. 2017), fitted on crises only; as usual as that of the categories."""
    crisis = rank > 0
    if not crisis.any():
        return 1.0
    never, logits = np.zeros(crisis.sum()), severity_logits[crisis]

    def loss(log: float) -> float:
        likelihood = log_loss(severity_probabilities(never, logits, float(np.exp(log))), rank[crisis])
        return float(likelihood + (log / USUAL[1]) ** 2 / 2 / len(logits))

    found = minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded")
    return float(np.exp(found.x))


def conformal_floor(probabilities: NDArray[np.float64], labels: Labels, coverage: float) -> float:
    """Split conformal prediction with the LAC score (Sadinle et al. 2019), with its finite-sample correction."""
    true = np.sort(probabilities[np.arange(len(labels)), labels])
    allowed = int((1 - coverage) * (len(labels) + 1) + 1e-9)  # true labels that may stay outside; 1 - 0.9 is below 0.1
    return float(true[allowed - 1]) if allowed else 0.0


def choose_miss_cost(
    category_logits: Logits, severity_logits: Logits, category: Labels, rank: Labels, base: Calibration
) -> Calibration:
    """With the cost of a missed crisis that has the best mean of macro-F1 and QWK, by which epochs are chosen too."""

    def mean(tried: Calibration) -> float:
        found = interpret(category_logits, severity_logits, tried)
        return macro_f1(category, found.chosen) + qwk(rank, found.rank)

    costs = product((False, True), MISS_COSTS)
    return max((replace(base, miss_by_rank=by_rank, miss_cost=cost) for by_rank, cost in costs), key=mean)


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
    fitted = fit_category(category_logits, category, lexical_logits)
    fitted = replace(fitted, severity_temperature=fit_severity(severity_logits, rank))
    category_logits = blend(category_logits, lexical_logits, fitted)
    fitted = choose_miss_cost(category_logits, severity_logits, category, rank, fitted)
    fitted = replace(fitted, under_cost=choose_under_cost(category_logits, severity_logits, rank, fitted))
    predictions = interpret(category_logits, severity_logits, fitted)
    return replace(
        fitted,
        conformal_floor=conformal_floor(predictions.category, category, fitted.coverage),
        review_doubt=float(np.quantile(1 - predictions.confidence, 1 - REVIEW_SHARE)),
    )

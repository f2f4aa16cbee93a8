"""What a desk could do without a model: one-number forecasts of the alarm line, each with a sigmoid of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.linear_model import LogisticRegression

from data.volume_windows import Floats
from models.escalation_head import log_odds
from training.escalation_blocks import Blocks
from training.hotlist_decisions import HotDecisions

Score = Callable[[HotDecisions, Blocks], Floats]


def _hour_rates(decisions: HotDecisions, where: Blocks) -> Floats:
    """Log-odds of a crossing at each decision's hour of day, from the fit block."""
    hours = decisions.column("hour").astype(int)
    events = np.bincount(hours[where.fit], decisions.labels[where.fit], minlength=24)
    seen = np.bincount(hours[where.fit], minlength=24)
    return np.asarray(log_odds((events + 1) / (seen + 10))[hours])


def _or(values: Floats, default: Floats | float) -> Floats:
    """What is known, else a default: most scores need two appearances."""
    return np.where(np.isnan(values), default, values)


HOT_SCORES: Mapping[str, Score] = {
    "constant": lambda d, where: np.zeros(len(d.labels)),
    "hour_of_day": _hour_rates,
    "growth_rate": lambda d, where: _or(d.column("step"), 0),
    "level_over_threshold": lambda d, where: d.column("ratio"),
    "discussions_per_hour": lambda d, where: _or(
        d.column("discussions_gain"), float(np.nanmedian(d.column("discussions_gain")[where.fit]))
    ),
    "linear_extrapolation": lambda d, where: _or(d.column("linear_6h"), d.column("ratio")),
    "weighted_intensity": lambda d, where: d.column("intensity_1.5h"),
}


def hot_baselines(decisions: HotDecisions, where: Blocks) -> dict[str, Floats]:
    """Likelihoods on the test block by each score, with a sigmoid from the calibration block."""
    found = {}
    for name, score_of in HOT_SCORES.items():
        score = score_of(decisions, where).reshape(-1, 1)
        sigmoid = LogisticRegression(C=1e6).fit(score[where.calibration], decisions.labels[where.calibration])
        found[name] = sigmoid.predict_proba(score[where.test])[:, 1]
    return found

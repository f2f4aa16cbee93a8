"""One-number forecasts beside either head: what a desk could do without a model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.volume_windows import Floats, Ints
from models.escalation_head import log_odds
from training.escalation_blend import sigmoid
from training.escalation_blocks import Blocks, Rows


def hour_rates(hour: Floats, labels: Ints, fit: Rows) -> Floats:
    """Log-odds of an event at each decision's hour of day (0-23), from the rows of the fit block: [n]."""
    hours = hour.astype(int)
    events = np.bincount(hours[fit], labels[fit], minlength=24)
    seen = np.bincount(hours[fit], minlength=24)
    return np.asarray(log_odds((events + 1) / (seen + 10))[hours])


def by_score(scores: Mapping[str, Floats], labels: Ints, where: Blocks) -> dict[str, Floats]:
    """Likelihoods on the test block by each score ([n] each), with a sigmoid from the calibration block."""
    found = {}
    for name, score in scores.items():
        curve = sigmoid(score[where.calibration], labels[where.calibration])
        found[name] = curve.predict_proba(score[where.test].reshape(-1, 1))[:, 1]
    return found

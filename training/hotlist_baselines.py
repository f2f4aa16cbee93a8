"""What a desk could do without a model: one-number forecasts of the alarm line, each with a sigmoid of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from data.volume_windows import Floats
from training.escalation_baselines import by_score, hour_rates
from training.escalation_blocks import Blocks
from training.hotlist_decisions import HotDecisions

Score = Callable[[HotDecisions, Blocks], Floats]


def _or(values: Floats, default: Floats | float) -> Floats:
    """What is known, else a default: most scores need two appearances."""
    return np.where(np.isnan(values), default, values)


HOT_SCORES: Mapping[str, Score] = {
    "constant": lambda d, where: np.zeros(len(d.labels)),
    "hour_of_day": lambda d, where: hour_rates(d.column("hour"), d.labels, where.fit),
    "growth_rate": lambda d, where: _or(d.column("step"), 0),
    "level_over_threshold": lambda d, where: d.column("ratio"),
    "discussions_per_hour": lambda d, where: _or(
        d.column("discussions_gain"), float(np.nanmedian(d.column("discussions_gain")[where.fit]))
    ),
    "linear_extrapolation": lambda d, where: _or(d.column("linear_6h"), d.column("ratio")),
    "weighted_intensity": lambda d, where: d.column("intensity_1.5h"),
}
OPTIONAL: Mapping[str, str] = {"discussions_per_hour": "discussions_gain"}  # the feature that a record may lack


def hot_baselines(decisions: HotDecisions, where: Blocks) -> dict[str, Floats]:
    """Likelihoods on the test block by each score whose feature is known, with a sigmoid from the calibration block."""
    there = {name: of for name, of in HOT_SCORES.items() if OPTIONAL.get(name, "ratio") in decisions.names}
    scores = {name: score_of(decisions, where) for name, score_of in there.items()}
    return by_score(scores, decisions.labels, where)

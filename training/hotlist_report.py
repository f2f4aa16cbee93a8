"""The figures of the `hotlist` head by month, appearances and hour of day, and what its alarms cost a desk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from rich.table import Table as Sheet

from data.volume_windows import Floats
from models.hotlist import HotlistModel
from training.escalation_report import FIGURES, figures, of_hours, of_months, sliced
from training.hotlist_decisions import HotDecisions

SEEN = {"1": (1, 1), "2": (2, 2), "3-6": (3, 6), "7+": (7, np.inf)}  # appearances in the present episode
BUDGETS = (2, 5, 10, 20, 40)  # false alarms per day


def slices(decisions: HotDecisions, likelihood: Floats) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by month, by number of appearances (1 = cold start) and by hour of day."""
    seen = decisions.column("n_obs")
    parts = {
        "by_month": of_months(decisions.day * 24),
        "by_appearances": {name: (seen >= first) & (seen <= last) for name, (first, last) in SEEN.items()},
        "by_hour": of_hours(decisions.column("hour")),
    }
    return sliced(decisions.labels, likelihood, parts)


def day_figures(model: HotlistModel, decisions: HotDecisions, draws: int) -> dict[str, dict[str, list[float]]]:
    """The second target, `alarm_24h`, where it is resolved, beside the answer for 6 h; empty without it."""
    rows = ~np.isnan(decisions.day_labels)
    if model.day is None or not rows.any():
        return {}
    labels, days = decisions.day_labels[rows].astype(np.int64), decisions.day[rows]
    features = decisions.features[rows][:, : len(model.names)]
    scores = {
        "model": model.day.predict_proba(features)[:, 1],
        "six_hour_answer": model.main.predict_proba(features)[:, 1],
    }
    return {name: figures(labels, score, days, draws) for name, score in scores.items()}


def ablation_sheet(found: Mapping[str, Mapping[str, float]]) -> Sheet:
    """What is lost without each group of features: figures with all of them, then differences to those."""
    (every, whole), *others = found.items()
    table = Sheet("features", *FIGURES, title=f"ablation, {whole['rows']} decisions before the test block")
    table.add_row(every, *(f"{whole[name]:.4f}" for name in FIGURES))
    for features, figure in others:
        table.add_row(features, *(f"{figure[name] - whole[name]:+.4f}" for name in FIGURES))
    return table


def by_false_alarms(decisions: HotDecisions, likelihood: Floats) -> dict[str, dict[str, float]]:
    """Threshold, precision and recall of decisions at a budget of false alarms per day.

    Every decision above the threshold counts as an alarm; a desk that hears of a topic once has fewer.
    """
    days, found = len(np.unique(decisions.day)), {}
    calm = np.sort(likelihood[decisions.labels == 0])[::-1]
    for budget in BUDGETS:
        threshold = float(calm[min(budget * days, len(calm) - 1)])
        alarms = likelihood > threshold
        caught = int((alarms & (decisions.labels == 1)).sum())
        found[str(budget)] = {
            "threshold": round(threshold, 4),
            "precision": round(caught / max(int(alarms.sum()), 1), 4),
            "recall": round(caught / max(int(decisions.labels.sum()), 1), 4),
            "alarms_per_day": round(float(alarms.sum()) / days, 1),
        }
    return found

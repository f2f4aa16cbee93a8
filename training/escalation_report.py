"""The honest figures of an escalation model, with intervals by topic, beside its baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from rich.table import Table as Sheet

from data.volume_windows import ZONE, Floats, Ints
from training import metrics
from training.bootstrap import intervals
from training.escalation_blocks import Rows

FIGURES: Mapping[str, Callable[[Ints, Floats], float]] = {
    "auroc": metrics.auroc,
    "auprc": metrics.auprc,
    "brier_skill_score": metrics.brier_skill_score,
    "ece": metrics.binary_ece,
    "recall_at_5_percent_fpr": metrics.recall_at_false_positive_rate,
}
HOURS = 4  # of the day in a slice
MIN_ROWS = 50  # of a slice
SLICES = {"1-2 h": (1, 2), "3-6 h": (3, 6), "7-12 h": (7, 12), "13-24 h": (13, 24), "26-48 h": (26, 48)}


def figures(labels: Ints, probability: Floats, topics: Ints, draws: int) -> dict[str, list[float]]:
    """Every figure as [value, low, high] (95 %, topics resampled), all from the same draws."""

    def every(labels: Ints, probability: Floats) -> Floats:
        return np.array([statistic(labels, probability) for statistic in FIGURES.values()])

    spreads = intervals(every, labels, probability, groups=topics, n=draws)
    return {name: spread.rounded for name, spread in zip(FIGURES, spreads, strict=True)}


def plain(labels: Ints, probability: Floats) -> dict[str, float]:
    """Every figure without interval; only their number when there are no rows."""
    if not len(labels):
        return {"rows": 0}
    found = {"rows": len(labels), "prevalence": round(float(labels.mean()), 4)}
    return found | {name: round(statistic(labels, probability), 4) for name, statistic in FIGURES.items()}


def of_ages(ages: Ints) -> dict[str, Rows]:
    """Rows by hours observed: how good the answer is at a cold start."""
    return {name: (ages >= first) & (ages <= last) for name, (first, last) in SLICES.items()}


def of_months(at: Floats | Ints) -> dict[str, Rows]:
    """Rows by the month, in China, of an absolute hour."""
    months = np.array([datetime.fromtimestamp(float(hour) * 3600, ZONE).strftime("%Y-%m") for hour in at])
    return {str(month): months == month for month in np.unique(months)}


def of_hours(hour: Floats | Ints) -> dict[str, Rows]:
    """Rows by the hour of day, HOURS in a slice."""
    parts = hour.astype(int) // HOURS
    return {f"{part * HOURS}-{part * HOURS + HOURS - 1} h": parts == part for part in np.unique(parts).tolist()}


def sliced(labels: Ints, probability: Floats, slices: Mapping[str, Mapping[str, Rows]]) -> dict[str, Any]:
    """`plain` figures of every slice that has MIN_ROWS."""
    return {
        kind: {name: plain(labels[rows], probability[rows]) for name, rows in parts.items() if rows.sum() >= MIN_ROWS}
        for kind, parts in slices.items()
    }


def sheet(title: str, reports: Mapping[str, Mapping[str, list[float]]]) -> Sheet:
    """One row per model, one column per figure, with intervals."""
    table = Sheet("model", *FIGURES, title=title)
    for model, found in reports.items():
        table.add_row(model, *("{:.3f} [{:.3f}, {:.3f}]".format(*found[name]) for name in FIGURES))
    return table


def spread_of(folds: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and standard deviation of each figure over rolling origins."""
    return {
        name: [round(float(np.mean(values)), 4), round(float(np.std(values, ddof=1)), 4)]
        for name in FIGURES
        if (values := [fold[name] for fold in folds]) and len(values) > 1
    }

"""The honest figures of a text model: each with its interval, overall and by source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from data.records import Example
from data.taxonomy import Taxonomy
from training import metrics
from training.bootstrap import interval, intervals
from training.steady_f1 import steady_macro_f1

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Truth:
    """Labels of n test rows; `second` is -1 where there is none; `groups` are resampled whole."""

    category: Labels
    second: Labels
    rank: Labels
    groups: Labels
    sources: NDArray[np.str_]

    @classmethod
    def of(cls, examples: Sequence[Example], groups: Sequence[int], taxonomy: Taxonomy) -> Truth:
        return cls(
            np.array([taxonomy.index(row.category or taxonomy.none_id) for row in examples]),
            np.array([taxonomy.index(row.second) if row.second else -1 for row in examples]),
            np.array([row.severity or 0 for row in examples]),
            np.array(groups),
            np.array([row.source or "" for row in examples]),
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of the same rows: category probabilities [n, categories] and both decisions [n]."""

    probabilities: NDArray[np.float64]
    category: Labels
    rank: Labels


Statistic = Callable[..., float]

FIGURES: dict[str, Statistic] = {
    "accuracy": lambda y, s, r, p, c, k: metrics.accuracy(y, c),
    "accuracy_with_second": lambda y, s, r, p, c, k: metrics.accuracy_with_second(y, s, c),
    "macro_f1": lambda y, s, r, p, c, k: metrics.macro_f1(y, c),
    "qwk": lambda y, s, r, p, c, k: metrics.qwk(r, k),
    "under_grading": lambda y, s, r, p, c, k: metrics.under_grading_rate(r, k),
    "false_alarms": lambda y, s, r, p, c, k: metrics.false_alarm_rate(r, k),
    "ece": lambda y, s, r, p, c, k: metrics.ece(p, y),
    "log_loss": lambda y, s, r, p, c, k: metrics.log_loss(p, y),
}
MIN_SOURCE = 30  # rows of a source below which it has no figures of its own


def figures(truth: Truth, answers: Answers, draws: int = 500) -> dict[str, Any]:
    """Every figure as [value, low, high] (95 %, near-duplicate groups resampled)."""
    arrays = (truth.category, truth.second, truth.rank, answers.probabilities, answers.category, answers.rank)
    steady = steady_macro_f1(truth.category, answers.category)
    found = {}
    for name, statistic in {**FIGURES, "macro_f1": lambda y, s, r, p, c, k: steady(y, c)}.items():
        found[name] = interval(statistic, *arrays, groups=truth.groups, n=draws).rounded
    return found


def _sliced(truth: Truth, answers: Answers, rows: NDArray[np.bool_], draws: int) -> dict[str, Any]:
    """Accuracy, macro-F1 and QWK of some of the rows, as [value, low, high]."""

    macro_f1 = steady_macro_f1(truth.category[rows], answers.category[rows])

    def statistic(y: Labels, c: Labels, r: Labels, k: Labels) -> NDArray[np.float64]:
        return np.array([metrics.accuracy(y, c), macro_f1(y, c), metrics.qwk(r, k)])

    arrays = (truth.category[rows], answers.category[rows], truth.rank[rows], answers.rank[rows])
    spreads = intervals(statistic, *arrays, groups=truth.groups[rows], n=draws)
    names = ("accuracy", "macro_f1", "qwk")
    return {"rows": int(rows.sum())} | {name: one.rounded for name, one in zip(names, spreads, strict=True)}


def by_source(truth: Truth, answers: Answers, draws: int) -> dict[str, dict[str, Any]]:
    """`_sliced` for each source that has enough rows."""
    masks = {source: truth.sources == source for source in sorted(set(truth.sources))}
    return {str(name): _sliced(truth, answers, rows, draws) for name, rows in masks.items() if rows.sum() >= MIN_SOURCE}


def report(truth: Truth, answers: Answers, taxonomy: Taxonomy, draws: int = 500) -> dict[str, Any]:
    """All figures, per class and by source, and both confusion matrices (rows = truth)."""
    per_class = metrics.per_class_f1(truth.category, answers.category, len(taxonomy.ids))
    return {
        "rows": len(truth.category),
        **figures(truth, answers, draws),
        "per_class_f1": {key: round(float(f1), 4) for key, f1 in zip(taxonomy.ids, per_class, strict=True)},
        "by_source": by_source(truth, answers, draws),
        "confusion": metrics.confusion(truth.category, answers.category, len(taxonomy.ids)).tolist(),
        "severity_confusion": metrics.confusion(truth.rank, answers.rank, len(taxonomy.severities)).tolist(),
    }


def table(title: str, reports: Mapping[str, dict[str, Any]]) -> Table:
    """One column per model, one row per figure, with intervals."""
    sheet = Table("figure", *reports, title=title)
    for name in FIGURES:
        cells = ["{:.3f} [{:.3f}, {:.3f}]".format(*found[name]) for found in reports.values()]
        sheet.add_row(name, *cells)
    return sheet

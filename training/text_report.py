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
from training.bootstrap import interval

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
}


def figures(truth: Truth, answers: Answers, draws: int = 500) -> dict[str, Any]:
    """Every figure as [value, low, high] (95 %, near-duplicate groups resampled)."""
    arrays = (truth.category, truth.second, truth.rank, answers.probabilities, answers.category, answers.rank)
    found = {}
    for name, statistic in FIGURES.items():
        spread = interval(statistic, *arrays, groups=truth.groups, n=draws)
        found[name] = [round(float(x), 4) for x in (spread.value, spread.low, spread.high)]
    return found


def report(truth: Truth, answers: Answers, taxonomy: Taxonomy, draws: int = 500) -> dict[str, Any]:
    """All figures, per class and by source, and both confusion matrices (rows = truth)."""
    by_source = {}
    for source in sorted(set(truth.sources)):
        rows = truth.sources == source
        if rows.sum() >= 30:
            by_source[source] = {
                "rows": int(rows.sum()),
                "accuracy": round(metrics.accuracy(truth.category[rows], answers.category[rows]), 4),
                "qwk": round(metrics.qwk(truth.rank[rows], answers.rank[rows]), 4),
            }
    per_class = metrics.per_class_f1(truth.category, answers.category, len(taxonomy.ids))
    return {
        "rows": len(truth.category),
        **figures(truth, answers, draws),
        "per_class_f1": {key: round(float(f1), 4) for key, f1 in zip(taxonomy.ids, per_class, strict=True)},
        "by_source": by_source,
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

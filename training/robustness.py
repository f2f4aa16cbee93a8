"""How far a text model falls when posts are written otherwise: each perturbation against the same clean rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from data.perturb import PERTURBATIONS, all_perturbed
from data.records import Example
from data.taxonomy import Taxonomy
from models.text import TextModel
from training.bootstrap import interval
from training.corpus import bound_groups
from training.metrics import macro_f1, qwk
from training.steady_f1 import Metric, steady
from training.text_report import Truth

Labels = NDArray[np.int64]


def paired_loss(metric: Metric, truth: Labels, clean: Labels, other: Labels, groups: Labels, draws: int) -> list[float]:
    """What the metric loses, as [value, low, high]; paired: each draw takes the same rows of both answers."""
    first, second = steady(metric, truth, clean), steady(metric, truth, other)

    def loss(y: Labels, a: Labels, b: Labels) -> float:
        return first(y, a) - second(y, b)

    return interval(loss, truth, clean, other, groups=groups, n=draws).rounded


def robustness(
    model: TextModel, rows: Sequence[Example], taxonomy: Taxonomy, seed: int, draws: int = 500
) -> dict[str, dict[str, Any]]:
    """Figures of each perturbation at its default rate, on fully labelled rows that did not teach the model.

    `changed` is the share of rows that differ from the clean ones; drops are [value, low, high] (95 %, near-duplicate
    groups of the clean rows resampled), positive = worse than clean.
    """
    texts = [row.text for row in rows]
    truth = Truth.of(rows, bound_groups(rows), taxonomy)
    clean = model.predict(texts)
    found = {}
    for name in PERTURBATIONS:
        copies = all_perturbed(texts, name, seed)
        seen = model.predict(copies)
        found[name] = {
            "changed": round(sum(map(str.__ne__, texts, copies)) / len(texts), 4),
            "macro_f1": round(macro_f1(truth.category, seen.chosen), 4),
            "qwk": round(qwk(truth.rank, seen.rank), 4),
            "drop_macro_f1": paired_loss(macro_f1, truth.category, clean.chosen, seen.chosen, truth.groups, draws),
            "drop_qwk": paired_loss(qwk, truth.rank, clean.rank, seen.rank, truth.groups, draws),
        }
    return found


def robustness_table(title: str, found: Mapping[str, dict[str, Any]]) -> Table:
    """One row per perturbation, the drops with their intervals."""
    sheet = Table("perturbation", "changed", "macro-F1", "drop", "QWK", "drop", title=title)
    for name, row in found.items():
        drops = ["{:+.3f} [{:+.3f}, {:+.3f}]".format(*row[key]) for key in ("drop_macro_f1", "drop_qwk")]
        sheet.add_row(name, f"{row['changed']:.0%}", f"{row['macro_f1']:.3f}", drops[0], f"{row['qwk']:.3f}", drops[1])
    return sheet

"""How far a text model falls when posts are written otherwise: each perturbation against the same clean rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from data.perturb import PERTURBATIONS, all_perturbed
from data.records import Example
from data.surround import LENGTHS, OVERLONG
from data.taxonomy import Taxonomy
from models.text import TextModel
from training.bootstrap import interval
from training.corpus import bound_groups
from training.metrics import SEVERE, macro_f1, qwk, recall_from
from training.steady_f1 import Metric, steady
from training.surrounded import all_surrounded, ordinary_texts
from training.text_report import Truth

SURROUNDED = {"surrounded": LENGTHS, "buried": OVERLONG}  # in the midst of ordinary posts of the same rows
COPIES = (*PERTURBATIONS, *SURROUNDED)
Labels = NDArray[np.int64]


def paired_loss(metric: Metric, truth: Labels, clean: Labels, other: Labels, groups: Labels, draws: int) -> list[float]:
    """What the metric loses, as [value, low, high]; paired: each draw takes the same rows of both answers."""
    first, second = steady(metric, truth, clean), steady(metric, truth, other)

    def loss(y: Labels, a: Labels, b: Labels) -> float:
        return first(y, a) - second(y, b)

    return interval(loss, truth, clean, other, groups=groups, n=draws).rounded


def _copies(name: str, rows: Sequence[Example], seed: int) -> list[str]:
    texts = [row.text for row in rows]
    if name in SURROUNDED:
        return all_surrounded(texts, ordinary_texts(rows), seed, SURROUNDED[name])
    return all_perturbed(texts, name, seed)


def robustness(
    model: TextModel, rows: Sequence[Example], taxonomy: Taxonomy, seed: int, draws: int = 500
) -> dict[str, dict[str, Any]]:
    """Figures of each of COPIES (perturbations at their default rate), on fully labelled rows that taught nothing.

    `changed` is the share of rows that differ from the clean ones; drops are [value, low, high] (95 %, near-duplicate
    groups of the clean rows resampled), positive = worse than clean.
    """
    texts = [row.text for row in rows]
    truth = Truth.of(rows, bound_groups(rows), taxonomy)
    clean, severe = model.predict(texts), recall_from(SEVERE)
    found = {}
    for name in COPIES:
        copies = _copies(name, rows, seed)
        seen = model.predict(copies)
        found[name] = {
            "changed": round(sum(map(str.__ne__, texts, copies)) / len(texts), 4),
            "macro_f1": round(macro_f1(truth.category, seen.chosen), 4),
            "qwk": round(qwk(truth.rank, seen.rank), 4),
            "severe_recall": round(severe(truth.rank, seen.rank), 4),
            "drop_macro_f1": paired_loss(macro_f1, truth.category, clean.chosen, seen.chosen, truth.groups, draws),
            "drop_qwk": paired_loss(qwk, truth.rank, clean.rank, seen.rank, truth.groups, draws),
            "drop_severe_recall": paired_loss(severe, truth.rank, clean.rank, seen.rank, truth.groups, draws),
        }
    return found


def robustness_table(title: str, found: Mapping[str, dict[str, Any]]) -> Table:
    """One row per perturbation, the drops with their intervals."""
    figures = {"macro_f1": "macro-F1", "qwk": "QWK", "severe_recall": "recall of rank >= 3"}
    sheet = Table(
        "perturbation", "changed", *(head for name in figures.values() for head in (name, "drop")), title=title
    )
    for name, row in found.items():
        cells = [(f"{row[key]:.3f}", "{:+.3f} [{:+.3f}, {:+.3f}]".format(*row[f"drop_{key}"])) for key in figures]
        sheet.add_row(name, f"{row['changed']:.0%}", *(cell for pair in cells for cell in pair))
    return sheet

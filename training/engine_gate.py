"""The gate of the engines: what each loses against torch on held-out posts (`yujing evaluate --engines`).

By it the default engine was chosen for the shipped bundle; no training asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from models.engine_build import ENGINES, load_text_model
from models.text import TextPredictions
from training.metrics import SEVERE, macro_f1, qwk, recall_from
from training.robustness import paired_loss
from training.text_report import Truth

REFERENCE = "torch"
ALLOWED = 0.005  # of macro-F1, QWK and recall of rank >= 3


def engine_gate(
    bundle: Bundle,
    rows: Sequence[Example],
    groups: Sequence[int],
    taxonomy: Taxonomy,
    threads: int = 0,
    draws: int = 500,
) -> dict[str, dict[str, Any]]:
    """Each engine against torch fp32; losses are [value, low, high] (95 %, groups resampled, same rows of both)."""
    truth, texts = Truth.of(rows, groups, taxonomy), [row.text for row in rows]
    reference = load_text_model(bundle, REFERENCE, threads).predict(texts)
    others = [name for name in ENGINES if name != REFERENCE]
    return {
        name: _against(reference, load_text_model(bundle, name, threads).predict(texts), truth, draws)
        for name in others
    }


def _against(reference: TextPredictions, seen: TextPredictions, truth: Truth, draws: int) -> dict[str, Any]:
    chosen = (truth.category, reference.chosen, seen.chosen)
    rank = (truth.rank, reference.rank, seen.rank)
    lost = {
        "macro_f1": paired_loss(macro_f1, *chosen, truth.groups, draws),
        "qwk": paired_loss(qwk, *rank, truth.groups, draws),
        "severe_recall": paired_loss(recall_from(SEVERE), *rank, truth.groups, draws),
    }
    same = (reference.chosen == seen.chosen) & (reference.rank == seen.rank)
    return {
        "lost": lost,
        "same_decisions": round(float(same.mean()), 4),
        "largest_difference": round(float(np.abs(reference.category - seen.category).max()), 6),
        "passed": not any(value > ALLOWED for value, _, _ in lost.values()),  # nan: no post of rank >= 3 to lose
    }


def gate_table(title: str, found: Mapping[str, dict[str, Any]]) -> Table:
    """One row per engine."""
    sheet = Table("engine", "macro-F1 lost", "QWK lost", "recall of rank >= 3 lost", "same decisions", "", title=title)
    for name, row in found.items():
        cells = ["{:+.4f} [{:+.4f}, {:+.4f}]".format(*loss) for loss in row["lost"].values()]
        sheet.add_row(name, *cells, f"{row['same_decisions']:.2%}", "passed" if row["passed"] else "FAILED")
    return sheet

"""What a first stage settles, and what it loses against the whole model on posts that taught neither."""

from __future__ import annotations

import random
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from data.taxonomy import Taxonomy
from models.text import TextModel, TextPredictions
from training.bootstrap import interval
from training.corpus import Corpus
from training.metrics import ALARM, log_loss, macro_f1, qwk, recall_from
from training.posts import load_posts
from training.robustness import paired_loss
from training.text_report import Truth
from training.told import left_out

Labels = NDArray[np.int64]


def held_out(model: TextModel, corpus: Corpus, taxonomy: Taxonomy, draws: int) -> dict[str, Any]:
    """Test part: share settled, figures without and with the first stage; losses are [value, low, high], paired."""
    rows = corpus.part("test")
    truth = Truth.of(rows, corpus.test_groups, taxonomy)
    texts = [row.text for row in rows]
    whole, staged = model.thorough().predict(texts), model.predict(texts)
    settled = _settled(staged)
    return {
        "rows": len(rows),
        "settled": interval(np.mean, settled.astype(float), groups=truth.groups, n=draws).rounded,
        "none_of_settled": round(float((truth.category[settled] == 0).mean()), 4) if settled.any() else None,
        "answered_otherwise": _otherwise(whole, staged),
        "severe_rows": int((truth.rank >= ALARM).sum()),
        "severe_rows_settled": int((settled & (truth.rank >= ALARM)).sum()),
        "severe_recall": _both(recall_from(ALARM), truth.rank, whole.rank, staged.rank, truth.groups, draws),
        "macro_f1": _both(macro_f1, truth.category, whole.chosen, staged.chosen, truth.groups, draws),
        "qwk": _both(qwk, truth.rank, whole.rank, staged.rank, truth.groups, draws),
        "log_loss": [round(log_loss(one.category, truth.category), 4) for one in (whole, staged)],
    }


def on_unlabelled(
    model: TextModel,
    path: str,
    sample: int,
    taxonomy: Taxonomy,
    console: Console,
    taught: Container[tuple[str, str]] = frozenset(),
) -> dict[str, Any]:
    """Posts as they come: share settled, and how many of these the whole model answers otherwise; empty without any.

    Without those whose ids and texts are among `taught`: annotations are of posts of the same file.
    """
    rows = [row for row in load_posts([path], taxonomy, console) if (row.id, row.text) not in taught]
    if not rows:
        left_out(console, f"{path}: no post in it")
        return {}
    texts = [row.text for row in random.Random(0).sample(rows, min(sample, len(rows)))]
    staged = model.predict(texts)
    settled = [int(row) for row in np.flatnonzero(_settled(staged))]
    found: dict[str, Any] = {"rows": len(texts), "settled": round(len(settled) / len(texts), 4)}
    if not settled:
        return found
    whole = model.thorough().predict([texts[row] for row in settled])
    return found | {"settled_but_a_crisis": int((whole.rank > 0).sum()), "severe": int((whole.rank >= ALARM).sum())}


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The figures as sentences."""
    test = found["held_out"]
    yield "settled: {:.3f} [{:.3f}, {:.3f}] of {} test posts".format(*test["settled"], test["rows"])
    yield f"of these truly none: {test['none_of_settled']}; answered otherwise than whole: {test['answered_otherwise']}"
    yield f"posts of rank >= 2: {test['severe_rows']}, settled {test['severe_rows_settled']}"
    for name in ("severe_recall", "macro_f1", "qwk"):
        row = test[name]
        yield "{}: {} -> {}, loss {:+.4f} [{:+.4f}, {:+.4f}]".format(name, row["before"], row["after"], *row["loss"])
    yield "log_loss: {} -> {}".format(*test["log_loss"])
    if rest := found.get("unlabelled"):
        yield f"unlabelled: {rest['settled']} of {rest['rows']} settled; the whole model finds a crisis in " + (
            f"{rest.get('settled_but_a_crisis', 0)} of these, of rank >= 2 in {rest.get('severe', 0)}"
        )


def _settled(found: TextPredictions) -> NDArray[np.bool_]:
    return found.settled if found.settled is not None else np.zeros(len(found.chosen), bool)


def _otherwise(whole: TextPredictions, staged: TextPredictions) -> int:
    return int(((whole.chosen != staged.chosen) | (whole.rank != staged.rank)).sum())


def _both(metric: Any, truth: Labels, before: Labels, after: Labels, groups: Labels, draws: int) -> dict[str, Any]:
    loss = paired_loss(metric, truth, before, after, groups, draws)
    return {"before": round(metric(truth, before), 4), "after": round(metric(truth, after), 4), "loss": loss}

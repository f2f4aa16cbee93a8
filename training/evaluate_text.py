"""A bundle's text model on held-out posts: figures beside the baselines, calibration, doubt, errors, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import Console

from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from models.engine_build import load_text_model
from models.remembering import EVERY, RememberingEngine
from models.text import TextModel, TextPredictions
from training.bootstrap import intervals
from training.corpus import Corpus, fully_labelled, read_rows
from training.engine_gate import engine_gate, gate_table
from training.evaluate_config import EvaluateConfig
from training.evaluate_evidence import evidence_line, faithfulness
from training.evaluate_rows import trained_corpus
from training.metrics import per_class_f1
from training.report_doubt import (
    calibration_figures,
    contradicted,
    doubt_figures,
    severity_calibration,
    unscaled,
    with_signals,
)
from training.report_errors import confident_errors
from training.robustness import robustness, robustness_table
from training.text import labels, peers
from training.text_report import Answers, Truth, report, table


def majority_answers(corpus: Corpus, taxonomy: Taxonomy) -> Answers:
    """What never reads the test posts: always the commonest category and rank, with the class shares of training."""
    category, rank = labels([row for row in corpus.part("train") if fully_labelled(row)], taxonomy)
    shares = np.bincount(category, minlength=len(taxonomy.ids)) / len(category)
    n = len(corpus.split.test)
    common = np.full(n, shares.argmax()), np.full(n, np.bincount(rank).argmax())
    return Answers(np.tile(shares, (n, 1)), *common)


def f1_by_class(truth: Truth, answers: Answers, taxonomy: Taxonomy, draws: int) -> dict[str, Any]:
    """Rows that truly are of each class, and its F1 as [value, low, high]."""
    classes = len(taxonomy.ids)
    arrays = (truth.category, answers.category)
    spreads = intervals(lambda y, c: per_class_f1(y, c, classes), *arrays, groups=truth.groups, n=draws)
    counts = np.bincount(truth.category, minlength=classes)
    return {
        key: {"rows": int(count), "f1": spread.rounded}
        for key, count, spread in zip(taxonomy.ids, counts, spreads, strict=True)
    }


def details(
    model: TextModel, rows: Sequence[Example], truth: Truth, seen: TextPredictions, taxonomy: Taxonomy, draws: int
) -> dict[str, Any]:
    """What only the shipped form of the model has: F1 with intervals, calibration, doubt, the surest errors."""
    texts = [row.text for row in rows]
    plain = unscaled(model).predict(texts)
    signalled = with_signals(truth, seen, contradicted(texts, seen, taxonomy), draws)
    return {
        "f1_by_class": f1_by_class(truth, Answers(seen.category, seen.chosen, seen.rank), taxonomy, draws),
        "calibration": {
            "before": calibration_figures(truth, plain.category, draws),
            "after": calibration_figures(truth, seen.category, draws),
        },
        "severity_calibration": {
            "before": severity_calibration(truth, plain.severity, draws),
            "after": severity_calibration(truth, seen.severity, draws),
        },
        "doubt": doubt_figures(truth, seen, draws) | {"with_signals": signalled},
        "errors": confident_errors(rows, truth, seen, taxonomy),
    }


def rows_of(
    config: EvaluateConfig, bundle: Bundle, taxonomy: Taxonomy, console: Console
) -> tuple[Corpus | None, list[Example], list[int]]:
    """The test part of the training with its corpus, or all posts when they are others; and their groups."""
    corpus = trained_corpus(bundle, config.posts, taxonomy, console)
    if corpus is not None:
        return corpus, corpus.part("test"), corpus.test_groups
    console.print("[yellow]other posts than those of the training: all are measured, none may have taught it[/]")
    return None, *read_rows(config.posts, taxonomy, console)


def evaluate_text(config: EvaluateConfig, bundle: Bundle, taxonomy: Taxonomy, console: Console) -> dict[str, Any]:
    """The text model and, where its training part is known, the baselines that learn from the same rows."""
    model = load_text_model(bundle, config.engine)
    model = replace(model, engine=RememberingEngine(model.engine, EVERY))
    corpus, rows, groups = rows_of(config, bundle, taxonomy, console)
    truth = Truth.of(rows, groups, taxonomy)
    seen = model.predict([row.text for row in rows])
    answers = {"yujing": Answers(seen.category, seen.chosen, seen.rank)}
    if corpus is not None:
        answers |= peers(model, corpus, taxonomy)
        answers["majority"] = majority_answers(corpus, taxonomy)
    found: dict[str, Any] = {name: report(truth, one, taxonomy, config.draws) for name, one in answers.items()}
    console.print(table(f"{'test part, ' if corpus else ''}{len(rows)} posts", found))
    found |= details(model, rows, truth, seen, taxonomy, config.draws)
    if config.engines:
        found["engines"] = engine_gate(bundle, rows, groups, taxonomy, draws=config.draws)
        console.print(gate_table(f"engines against torch, {len(rows)} posts", found["engines"]))
    if config.robustness:
        found["robustness"] = robustness(model, rows, taxonomy, config.seed, config.draws)
        console.print(robustness_table(f"perturbed copies of {len(rows)} posts", found["robustness"]))
    if config.evidence:
        of = (model, rows, groups, taxonomy.none_id)
        found["evidence"] = faithfulness(*of, config.evidence, config.seed, config.draws)
        console.print(evidence_line(found["evidence"]))
    return found

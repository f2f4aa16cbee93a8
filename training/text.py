"""`yujing train text`: corpus -> split -> fit -> calibrate -> compare with the baseline -> bundle -> model store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from rich.console import Console

from data.records import Example
from data.taxonomy import DEFAULT_PATH, Taxonomy, load_taxonomy
from models.adapter import dump_adapter
from models.bundle import ADAPTER, TOKENIZER, Bundle, open_bundle, save_part
from models.calibration import Calibration
from models.classifier import RiskClassifier
from models.encoder import Encoder, load_encoder
from models.engine import TorchEngine
from models.manifest import TextPart
from models.text import TextModel
from models.tokens import Tokens
from training.baseline import Baseline
from training.calibrate import fit_calibration
from training.card import write_card
from training.corpus import Corpus, fully_labelled, read_corpus
from training.register import register
from training.text_config import TextConfig
from training.text_fit import build_classifier, fit, forget_checkpoints
from training.text_report import Answers, Truth, report, table


def labels(examples: Sequence[Example], taxonomy: Taxonomy) -> tuple[np.ndarray, np.ndarray]:
    """Category and rank of fully labelled rows."""
    category = np.array([taxonomy.index(row.category or taxonomy.none_id) for row in examples])
    return category, np.array([row.severity or 0 for row in examples])


def calibrate(engine: TorchEngine, tokens: Tokens, rows: Sequence[Example], taxonomy: Taxonomy) -> Calibration:
    """Fit the calibration on the validation rows."""
    logits = engine.logits(tokens.encode([row.text for row in rows]))
    return fit_calibration(*logits, *labels(rows, taxonomy))


def answers_of(model: TextModel, rows: Sequence[Example]) -> Answers:
    """The text model's answers to labelled rows."""
    found = model.predict([row.text for row in rows])
    return Answers(found.category, found.chosen, found.rank)


def baseline_answers(corpus: Corpus, taxonomy: Taxonomy) -> Answers:
    """The TF-IDF baseline, trained on the same rows, on the test rows."""
    train = [row for row in corpus.part("train") if fully_labelled(row)]
    model = Baseline([row.text for row in train], *labels(train, taxonomy))
    seen, category, rank = model.predict([row.text for row in corpus.part("test")])
    probabilities = np.zeros((len(category), len(taxonomy.ids)))
    probabilities[:, model.category.classes_] = seen
    return Answers(probabilities, category, rank)


def compare(model: TextModel, corpus: Corpus, taxonomy: Taxonomy, console: Console, draws: int = 500) -> dict[str, Any]:
    """BERT and baseline on the test part, printed as one table."""
    rows = corpus.part("test")
    truth = Truth.of(rows, corpus.test_groups, taxonomy)
    reports = {
        "bert": report(truth, answers_of(model, rows), taxonomy, draws),
        "tfidf": report(truth, baseline_answers(corpus, taxonomy), taxonomy, draws),
    }
    console.print(table(f"test part, {len(rows)} posts", reports))
    return reports


def _save(
    config: TextConfig,
    taxonomy: Taxonomy,
    encoder: Encoder,
    classifier: RiskClassifier,
    part: TextPart,
) -> Bundle:
    files = {
        ADAPTER: dump_adapter(classifier),
        TOKENIZER: encoder.tokenizer.backend_tokenizer.to_str().encode(),
    }
    bundle = save_part(Path(config.out) / "bundle", taxonomy, files, text=part)
    write_card(bundle)
    return bundle


def _finish(
    config: TextConfig,
    corpus: Corpus,
    encoder: Encoder,
    classifier: RiskClassifier,
    taxonomy: Taxonomy,
    console: Console,
) -> None:
    """Calibrate, compare and save what `fit` has made."""
    tokens = Tokens(encoder.tokenizer.backend_tokenizer, config.max_tokens)
    engine = TorchEngine(classifier, tokens.pad)
    calibration = calibrate(engine, tokens, corpus.part("validation"), taxonomy)
    console.print(calibration)
    reports = compare(TextModel(tokens, engine, calibration), corpus, taxonomy, console)
    part = TextPart(
        encoder=encoder.name,
        encoder_sha256=encoder.sha256,
        adapter_rank=config.rank,
        ranks=len(taxonomy.severities),
        max_tokens=config.max_tokens,
        calibration=calibration,
        config=asdict(config),
        data=corpus.about,
        metrics=reports,
    )
    bundle = _save(config, taxonomy, encoder, classifier, part)
    forget_checkpoints(config)
    console.print(f"bundle {bundle.model_id} in {bundle.folder}")
    if config.held_out_source is None:  # else the run is a measurement, not a model to use
        console.print(f"registered as {register(bundle)}")


def train_text(config: TextConfig, console: Console | None = None) -> Bundle:
    """Train, evaluate and register a text model; the bundle lies in `config.out`/bundle.

    Under `accelerate launch` every process trains, and the first one does the rest.
    """
    console = console or Console()
    taxonomy = load_taxonomy(Path(config.taxonomy) if config.taxonomy else DEFAULT_PATH)
    corpus = read_corpus(config, taxonomy, console)
    console.print(f"rows: {corpus.about['rows']}")
    encoder = load_encoder(config.encoder)
    classifier = build_classifier(encoder, config, taxonomy)
    tokens = Tokens(encoder.tokenizer.backend_tokenizer, config.max_tokens)
    fit(classifier, tokens, (corpus.part("train"), corpus.part("validation")), config, taxonomy)
    processes = PartialState()
    if processes.is_main_process:
        _finish(config, corpus, encoder, classifier, taxonomy, console)
    processes.wait_for_everyone()
    return open_bundle(Path(config.out) / "bundle", taxonomy)

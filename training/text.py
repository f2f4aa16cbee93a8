"""`yujing train text`: corpus -> split -> fit -> calibrate -> compare with the baseline -> bundle -> model store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from rich.console import Console

from data.errors import ConfigError
from data.records import Example
from data.taxonomy import DEFAULT_PATH, Taxonomy, load_taxonomy
from models.adapter import average_adapter, load_adapter, load_classifier
from models.bundle import ADAPTER, Bundle, open_bundle
from models.calibration import Calibration, FirstStage
from models.classifier import RiskClassifier
from models.encoder import Encoder, load_encoder
from models.engine import TorchEngine
from models.export import merged
from models.lexical import LexicalModel
from models.manifest import TextPart, now
from models.text import TextModel
from models.tokens import Tokens
from training.baseline import Baseline
from training.calibrate import fit_calibration
from training.checkpoints import forget_checkpoints
from training.corpus import Corpus, fully_labelled, require_kinds
from training.corpus_time import corpus_for
from training.earlier import (
    ancestors,
    earlier_bundle,
    held_out_before,
    require_encoder,
    require_pooling,
    require_teacher,
)
from training.first_stage_fit import fit_first_stage
from training.lexical import fit_lexical
from training.place import bundle_place
from training.register import register
from training.rehearsal import rehearsed
from training.soft import read_soft_posts
from training.surrounded import surrounded_rows
from training.text_config import TextConfig
from training.text_fit import build_classifier, fit
from training.text_report import Answers, Truth, report, table
from training.text_save import save_text, trained_files
from training.told import tell_golden


def labels(examples: Sequence[Example], taxonomy: Taxonomy) -> tuple[np.ndarray, np.ndarray]:
    """Category and rank of fully labelled rows."""
    category = np.array([taxonomy.index(row.category or taxonomy.none_id) for row in examples])
    return category, np.array([row.severity or 0 for row in examples])


def calibrate(model: TextModel, rows: Sequence[Example], taxonomy: Taxonomy) -> TextModel:
    """The same model with a calibration that is fitted on the validation rows."""
    texts = [row.text for row in rows]
    logits = model.engine.logits(model.tokens.encode(texts))
    if not all(np.isfinite(part).all() for part in logits):
        raise ConfigError("the training diverged, its logits are no numbers: lower learning_rate and give another out")
    lexical = model.lexical.logits(texts) if model.lexical else None
    return replace(model, calibration=fit_calibration(*logits, *labels(rows, taxonomy), lexical))


def first_stage_of(model: TextModel, rows: Sequence[Example], taxonomy: Taxonomy) -> FirstStage | None:
    """The first stage of a calibrated model, fitted on the validation rows; None without a second reader."""
    if model.lexical is None:
        return None
    texts = [row.text for row in rows]
    return fit_first_stage(model.lexical.logits(texts), *labels(rows, taxonomy), model.predict(texts))


def lexical_model(corpus: Corpus, taxonomy: Taxonomy, size: int) -> LexicalModel | None:
    """The second reader, fitted on the training rows that have a category; None for size 0."""
    rows = [row for row in corpus.part("train") if row.category is not None]
    positions = np.array([taxonomy.index(row.category or "") for row in rows])
    return fit_lexical([row.text for row in rows], positions, len(taxonomy.ids), size) if size else None


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


def peers(model: TextModel, corpus: Corpus, taxonomy: Taxonomy) -> dict[str, Answers]:
    """What the model must beat on the test rows: its BERT alone (calibrated by itself) and the TF-IDF baseline."""
    found = {}
    if model.lexical is not None:
        alone = calibrate(replace(model, lexical=None), corpus.part("validation"), taxonomy)
        found["bert"] = answers_of(alone, corpus.part("test"))
    return found | {"tfidf": baseline_answers(corpus, taxonomy)}


def compare(model: TextModel, corpus: Corpus, taxonomy: Taxonomy, console: Console, draws: int = 500) -> dict[str, Any]:
    """The model beside its peers on the test part, printed as one table."""
    rows = corpus.part("test")
    truth = Truth.of(rows, corpus.test_groups, taxonomy)
    answers = {"yujing": answers_of(model, rows), **peers(model, corpus, taxonomy)}
    reports = {name: report(truth, found, taxonomy, draws) for name, found in answers.items()}
    console.print(table(f"test part, {len(rows)} posts", reports))
    return reports


def _finish(
    config: TextConfig,
    corpus: Corpus,
    encoder: Encoder,
    classifier: RiskClassifier,
    taxonomy: Taxonomy,
    console: Console,
    start: Bundle | None,
) -> None:
    """Calibrate, compare and save what `fit` has made."""
    tokens = Tokens(encoder.tokenizer.backend_tokenizer, config.max_tokens)
    lexical = lexical_model(corpus, taxonomy, config.lexical_size)
    raw = TextModel(tokens, TorchEngine(classifier, tokens.pad), Calibration(), lexical)
    model = calibrate(raw, corpus.part("validation"), taxonomy)
    console.print(model.calibration)
    reports = compare(model, corpus, taxonomy, console)
    part = TextPart(
        encoder=encoder.name,
        encoder_sha256=encoder.sha256,
        adapter_rank=config.rank,
        ranks=len(taxonomy.severities),
        max_tokens=config.max_tokens,
        calibration=model.calibration,
        pool_after=config.pool_after,
        config=asdict(config),
        data=corpus.about,
        metrics=reports,
        first_stage=first_stage_of(model, corpus.part("validation"), taxonomy),
        calibrated_at=now(),
    )
    files = trained_files(encoder, classifier, lexical)
    bundle = save_text(bundle_place(config.out, taxonomy), taxonomy, files, part, start)
    console.print(f"bundle {bundle.model_id} in {bundle.folder}", markup=False)
    if config.held_out_source is None and config.before is None:  # else the run is a measurement, not a model to use
        console.print(f"registered as {register(bundle)}")
        tell_golden(console, bundle)
    forget_checkpoints(config)  # last: who repeats a run whose store could not be written has nothing to train again


def _tell_ancestors(corpus: Corpus, bundles: Mapping[str, Bundle | None]) -> None:
    """Name the bundles that the run begins with or learns from, and the files that taught them, in `about`."""
    found = {name: bundle for name, bundle in bundles.items() if bundle is not None}
    corpus.about.update({name: bundle.model_id for name, bundle in found.items()})
    if found:
        corpus.about["ancestors"] = ancestors([*found.values()], [*corpus.about["files"].values()])


def train_text(config: TextConfig, console: Console | None = None) -> Bundle:
    """Train, evaluate and register a text model; the bundle lies in `config.out`/bundle.

    Under `torchrun` (or `accelerate launch`) every process trains, and the first one does the rest.
    """
    console = console or Console()
    taxonomy = load_taxonomy(Path(config.taxonomy) if config.taxonomy else DEFAULT_PATH)
    bundle_place(config.out, taxonomy)
    require_teacher(config)
    earlier = earlier_bundle(config.start, config, taxonomy) if config.start else None
    teacher = earlier_bundle(config.teacher, config, taxonomy) if config.teacher else None
    dealt = earlier_bundle(config.split_of, config, taxonomy) if config.split_of else None
    before = held_out_before([one for one in (earlier, teacher, dealt) if one is not None], config)
    corpus = corpus_for(config, taxonomy, console, before)
    console.print(f"rows: {corpus.about['rows']}")
    require_kinds(corpus.part("train"))
    require_kinds(corpus.part("validation"), "calibrate")
    encoder = load_encoder(config.encoder)
    classifier = build_classifier(encoder, config, taxonomy)
    _tell_ancestors(corpus, {"start": earlier, "teacher": teacher})
    if earlier is not None:
        require_encoder(earlier, encoder)
        require_pooling(earlier, config, console)
        load_adapter(classifier, earlier.read(ADAPTER))
    tokens = Tokens(encoder.tokenizer.backend_tokenizer, config.max_tokens)
    soft = None if teacher is None else read_soft_posts(teacher, config, corpus, tokens, taxonomy, console)
    if soft is not None:
        corpus.about["rows"]["soft"] = len(soft.ids)
    to_teach = corpus if earlier is None else rehearsed(corpus, earlier, config, taxonomy, console)
    train = to_teach.part("train")
    if among := surrounded_rows(train, config.surrounded_share, config.seed):
        corpus.about["rows"]["surrounded"] = len(among)
    learnt_from = corpus.about | {"taxonomy": taxonomy.sha256, "encoder": encoder.sha256}
    parts = (*train, *among), corpus.part("validation")
    imitated = merged(load_classifier(teacher)) if teacher is not None and config.imitate else None
    fit(classifier, tokens, parts, config, taxonomy, soft, learnt_from, imitated)
    if earlier is not None and config.start_share:
        average_adapter(classifier, earlier.read(ADAPTER), config.start_share)
    processes = PartialState()
    if processes.is_main_process:
        _finish(config, corpus, encoder, classifier, taxonomy, console, earlier)
    processes.wait_for_everyone()
    return open_bundle(Path(config.out) / "bundle")

"""`yujing evaluate`: a bundle on held-out data, through the engine that serves, beside baselines, with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from data.errors import BundleError, CorpusError
from data.taxonomy import Taxonomy, load_taxonomy
from models.bundle import Bundle, escalation_file, open_bundle
from models.engine_build import load_text_model
from models.escalation import EscalationModel
from models.escalation_store import load as load_escalation
from training.config import load_config
from training.corpus import Corpus, file_sha256, read_corpus, read_rows
from training.decisions import decide_on, topics_of
from training.escalation import measure, read_series, test_block
from training.escalation_config import EscalationConfig
from training.escalation_fit import baseline_probabilities, tabulate
from training.escalation_report import sheet
from training.escalation_shift import read_if_there, shift_reports
from training.evaluate_config import EvaluateConfig
from training.hotlist_evaluate import evaluate_hotlist
from training.robustness import robustness, robustness_table
from training.text import answers_of
from training.text import compare as compare_texts
from training.text_config import TextConfig
from training.text_report import Truth, report, table


def _same_files(paths: tuple[str, ...], trained_on: Mapping[str, Any]) -> bool:
    """Whether all of these files taught the model (by hash)."""
    known = set(trained_on.get("files", {}).values())
    return all(Path(path).is_file() and file_sha256(path) in known for path in paths)


def _trained_corpus(config: EvaluateConfig, bundle: Bundle, taxonomy: Taxonomy, console: Console) -> Corpus | None:
    """The corpus of the training, split as it was; None when the posts are others."""
    part = bundle.manifest.text
    if part is None or not _same_files(config.posts, part.data):
        return None
    paths = {"posts": config.posts, "extra": config.extra}
    settings = load_config(TextConfig, flags={**part.config, **paths})
    settings = settings if config.seed is None else replace(settings, seed=config.seed)
    corpus = read_corpus(settings, taxonomy, console)
    if config.seed is None and corpus.about["rows"]["test"] != part.data["rows"]["test"]:
        raise CorpusError("the split of the training could not be rebuilt: evaluate with the version that trained it")
    return corpus


def evaluate_text(config: EvaluateConfig, bundle: Bundle, taxonomy: Taxonomy, console: Console) -> dict[str, Any]:
    """The text model and, where its training part is known, the TF-IDF baseline."""
    model = load_text_model(bundle, config.engine)
    corpus = _trained_corpus(config, bundle, taxonomy, console)
    if corpus is not None:
        rows = corpus.part("test")
        found = compare_texts(model, corpus, taxonomy, console, config.draws)
    else:
        rows, groups = read_rows(config.posts, taxonomy, console)
        console.print("[yellow]other posts than those of the training: all are measured, none may have taught it[/]")
        found = {"bert": report(Truth.of(rows, groups, taxonomy), answers_of(model, rows), taxonomy, config.draws)}
        console.print(table(f"{len(rows)} posts", found))
    if config.robustness:
        found["robustness"] = robustness(model, rows, taxonomy, config.seed or 0, config.draws)
        console.print(robustness_table(f"perturbed copies of {len(rows)} posts", found["robustness"]))
    return found


def evaluate_escalation(config: EvaluateConfig, bundle: Bundle, console: Console) -> dict[str, Any]:
    """The `counts` head: beside its baselines on the test block of its own series, or on every decision of others."""
    part = bundle.manifest.escalation["counts"]
    model = load_escalation(bundle.read(escalation_file("counts")))
    if not isinstance(model, EscalationModel):
        raise BundleError(f"{bundle.folder}: {escalation_file('counts')} holds another head: train it again")
    settings = load_config(EscalationConfig, flags={**part.config, "series": config.series, "draws": config.draws})
    topics = topics_of(read_series(settings, console))
    decisions, baselines, title = decide_on(topics), {}, "all decisions of series that did not teach it"
    shifted = {}
    if config.shift:
        shifted = dict(shift_reports(topics, decisions, settings, read_if_there(config.record), console))
    if _same_files(config.series, part.data):
        where, title = test_block(topics, decisions, settings), "test block"
        baselines = baseline_probabilities(tabulate(topics, decisions, where), where)
        decisions = decisions.take(where.test)
    found = measure(model, decisions, baselines, config.draws)
    console.print(sheet(title, found["models"]))
    return found | ({"shift": shifted} if shifted else {})


def evaluate(config: EvaluateConfig, console: Console | None = None) -> dict[str, Any]:
    """Measure, print, and write everything as JSON to `config.out`."""
    console = console or Console()
    taxonomy = load_taxonomy()
    bundle = open_bundle(Path(config.bundle) if config.bundle else None, taxonomy)
    found: dict[str, Any] = {"model": bundle.model_id, "config": asdict(config)}
    if config.posts and bundle.manifest.text is not None:
        found["text"] = evaluate_text(config, bundle, taxonomy, console)
    if config.series and "counts" in bundle.manifest.escalation:
        found["escalation"] = evaluate_escalation(config, bundle, console)
    if config.record and Path(config.record).is_file() and "hotlist" in bundle.manifest.escalation:
        found["hotlist"] = evaluate_hotlist(config, bundle, console)
    out = Path(config.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {out}")
    return found

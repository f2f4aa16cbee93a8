"""`yujing evaluate`: a bundle on held-out data, through the engine that serves, beside baselines, with intervals."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from models.bundle import Bundle, open_bundle
from models.escalation import EscalationModel
from models.escalation_store import open_head
from training.config import load_config
from training.decisions import decide_on, topics_of
from training.escalation import measure, read_series, test_block
from training.escalation_config import EscalationConfig
from training.escalation_fit import baseline_probabilities, tabulate
from training.escalation_report import sheet
from training.escalation_shift import shift_reports
from training.evaluate_config import EvaluateConfig
from training.evaluate_rows import same_files
from training.evaluate_text import evaluate_text
from training.hotlist_evaluate import evaluate_hotlist
from training.report_html import write_report


def evaluate_escalation(config: EvaluateConfig, bundle: Bundle, console: Console) -> dict[str, Any]:
    """The `counts` head: beside its baselines on the test block of its own series, or on every decision of others."""
    part = bundle.manifest.escalation["counts"]
    model = open_head(bundle, EscalationModel)
    known: dict[str, object] = {
        name: value for name, value in part.config.items() if name in EscalationConfig.__slots__
    }
    settings = load_config(
        EscalationConfig, flags={**known, "series": config.series, "record": config.record, "draws": config.draws}
    )
    topics = topics_of(read_series(settings, console))
    decisions, baselines, title = decide_on(topics), {}, "all decisions of series that did not teach it"
    shifted = {}
    if config.shift:
        shifted = dict(shift_reports(topics, decisions, settings, console))
    if same_files(config.series, part.data):
        where, title = test_block(topics, decisions, settings), "test block"
        baselines = baseline_probabilities(tabulate(topics, decisions, where), where)
        decisions = decisions.take(where.test)
    found = measure(model, decisions, baselines, config.draws)
    console.print(sheet(title, found["models"]))
    return found | ({"shift": shifted} if shifted else {})


def evaluate(config: EvaluateConfig, console: Console | None = None) -> dict[str, Any]:
    """Measure, print, and write everything as JSON to `config.out` and as an HTML page beside it."""
    console = console or Console()
    bundle = open_bundle(Path(config.bundle) if config.bundle else None)
    found: dict[str, Any] = {"model": bundle.model_id, "config": asdict(config)}
    if config.posts and bundle.manifest.text is not None:
        found["text"] = evaluate_text(config, bundle, bundle.taxonomy, console)
    if config.series and "counts" in bundle.manifest.escalation:
        found["escalation"] = evaluate_escalation(config, bundle, console)
    if config.record and Path(config.record).is_file() and "hotlist" in bundle.manifest.escalation:
        found["hotlist"] = evaluate_hotlist(config, bundle, console)
    for path in write_report(found, Path(config.out)):
        console.print(f"written to {path}")
    return found

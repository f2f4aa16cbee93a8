"""`yujing evaluate`: a bundle on held-out data, through the engine that serves, beside baselines, with intervals."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import CorpusError
from data.volume_windows import HORIZON
from models.bundle import Bundle, open_bundle
from models.escalation import EscalationModel
from models.escalation_store import open_head
from training.config import load_config
from training.decisions import decide_on, topics_of
from training.escalation import measure, read_series, test_block
from training.escalation_config import SERIES, EscalationConfig
from training.escalation_fit import baseline_probabilities, tabulate
from training.escalation_report import sheet
from training.escalation_shift import shift_reports
from training.escalation_unseen import since, unseen
from training.evaluate_config import EvaluateConfig
from training.evaluate_text import evaluate_text
from training.hotlist_evaluate import evaluate_hotlist
from training.place import report_place
from training.report_html import write_report
from training.taught import known_files
from training.told import left_out


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
    now, shifted = decisions.end - HORIZON, {}
    if config.shift:
        shifted = dict(shift_reports(topics, decisions, settings, console))
    if known_files(config.series, [*part.data.get("files", {}).values()]):
        where, title = test_block(topics, decisions, settings), "test block"
        where = replace(where, test=unseen(where.test, now, part))
        baselines = baseline_probabilities(tabulate(topics, decisions, where), where)
        decisions = decisions.take(where.test)
    else:
        decisions = decisions.take(unseen(np.ones(len(now), bool), now, part))
    found = measure(model, decisions, baselines, config.draws)
    console.print(sheet(title + since(part), found["models"]))
    return found | ({"shift": shifted} if shifted else {})


def with_present_series(config: EvaluateConfig, console: Console) -> EvaluateConfig:
    """Without the default series where they are not at hand; CorpusError when files that were asked for are absent.

    Asked before anything is measured, so that no report is lost to a missing file.
    """
    if not (absent := [path for path in config.series if not Path(path).is_file()]):
        return config
    if config.series != SERIES:
        raise CorpusError(f"{', '.join(absent)}: no such file: give the series that are there, or none: series=[]")
    left_out(console, f"the counts head: {', '.join(absent)}: no such file")
    return replace(config, series=())


def _heads(config: EvaluateConfig, bundle: Bundle, console: Console) -> dict[str, Any]:
    """The escalation heads that the bundle has, on the data that are at hand."""
    found = {}
    if config.series and "counts" in bundle.manifest.escalation:
        found["escalation"] = evaluate_escalation(config, bundle, console)
    if config.record and Path(config.record).is_file() and "hotlist" in bundle.manifest.escalation:
        found["hotlist"] = evaluate_hotlist(config, bundle, console)
    return found


def evaluate(config: EvaluateConfig, console: Console | None = None) -> dict[str, Any]:
    """Measure, print, and write everything as JSON to `config.out` and as an HTML page beside it."""
    console, out = console or Console(), report_place(config.out)
    bundle = open_bundle(Path(config.bundle) if config.bundle else None)
    found: dict[str, Any] = {"model": bundle.model_id, "config": asdict(config)}
    if "counts" in bundle.manifest.escalation:
        config = with_present_series(config, console)
    heads = _heads(config, bundle, console)  # first: what they refuse is told before the long part
    if config.posts and bundle.manifest.text is not None:
        found["text"] = evaluate_text(config, bundle, bundle.taxonomy, console)
    found |= heads
    for path in write_report(found, out):
        console.print(f"written to {path}", markup=False)
    return found

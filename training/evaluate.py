"""`yujing evaluate`: a bundle on held-out data, through the engine that serves, beside baselines, with intervals."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import ConfigError, CorpusError
from data.volume_windows import HORIZON
from models.bundle import Bundle, open_bundle
from models.escalation import EscalationModel
from models.escalation_store import open_head
from training.config import settings_of
from training.decisions import decide_on, topics_of
from training.escalation import measure, read_series, test_block
from training.escalation_config import HOT_LIST, SERIES, EscalationConfig
from training.escalation_fit import baseline_probabilities, tabulate
from training.escalation_own import beside_baselines
from training.escalation_report import sheet
from training.escalation_shift import shift_reports
from training.escalation_unseen import since, unseen
from training.evaluate_config import EvaluateConfig
from training.evaluate_text import evaluate_text
from training.hotlist_evaluate import evaluate_hotlist
from training.place import report_place
from training.report_html import write_report
from training.taught import known_files, tell_changed
from training.told import left_out


def evaluate_escalation(config: EvaluateConfig, bundle: Bundle, console: Console) -> dict[str, Any]:
    """The `counts` head: beside its baselines on the test block of its own series, or on every decision of others."""
    part = bundle.manifest.escalation["counts"]
    model = open_head(bundle, EscalationModel)
    given = {"series": config.series, "record": config.record, "draws": config.draws}
    settings = settings_of(EscalationConfig, part.config, **given)
    topics = topics_of(read_series(settings, console))
    decisions, baselines, title = decide_on(topics), {}, "all decisions of other series"
    now, more = decisions.end - HORIZON, dict[str, Any]()
    if config.shift and (shifted := dict(shift_reports(topics, decisions, settings, console))):
        more["shift"] = shifted
    if known_files(config.series, [*part.data.get("files", {}).values()]):
        where, title = test_block(topics, decisions, settings), "test block"
        where = replace(where, test=unseen(where.test, now, part))
        baselines = baseline_probabilities(tabulate(topics, decisions, where), where)
        decisions = decisions.take(where.test)
    else:
        tell_changed(config.series, part.config, part.data, console, ("series",))
        later = unseen(np.ones(len(now), bool), now, part)
        more |= beside_baselines(model, topics, decisions, later, settings, console)
        decisions = decisions.take(later)
    found = measure(model, decisions, baselines, config.draws)
    console.print(sheet(title + since(part), found["models"]))
    return found | more


def _there(what: str, paths: tuple[str, ...], usual: tuple[str, ...], none: str, console: Console) -> bool:
    """Whether files are at hand; CorpusError when others than the usual ones are not: they were asked for."""
    absent = [path for path in paths if path and not Path(path).is_file()]
    if absent and paths != usual:
        raise CorpusError(f"{', '.join(absent)}: no such file: give what is there, or nothing: {none}")
    if absent:
        left_out(console, f"{what}: {', '.join(absent)}: no such file")
    return not absent


def with_present_files(config: EvaluateConfig, bundle: Bundle, console: Console) -> EvaluateConfig:
    """Without the usual series and record where they are not at hand.

    Asked before anything is measured, so that no report is lost to a missing file.
    """
    heads = bundle.manifest.escalation
    if "counts" in heads and not _there("the counts head", config.series, SERIES, "series=[]", console):
        config = replace(config, series=())
    if "hotlist" in heads and not _there("the hotlist head", (config.record,), (HOT_LIST,), "record=''", console):
        config = replace(config, record="")
    return config


NEEDS = {"shift": "escalation", "ablation": "hotlist"} | dict.fromkeys(("engines", "robustness", "evidence"), "text")


def parts_of(config: EvaluateConfig, bundle: Bundle, console: Console) -> set[str]:
    """What is measured: parts that the bundle has and data are given for; ConfigError when that is nothing.

    What was asked for and needs another part is told.
    """
    heads = bundle.manifest.escalation
    there = {
        "text": bundle.manifest.text is not None and bool(config.posts),
        "escalation": "counts" in heads and bool(config.series),
        "hotlist": "hotlist" in heads and bool(config.record),
    }
    parts = {name for name, measured in there.items() if measured}
    if not parts:
        raise ConfigError(f"nothing to measure {bundle.folder} on: give posts, series or a record for what it holds")
    for name, part in NEEDS.items():
        if getattr(config, name) and part not in parts:
            left_out(console, f"{name}: it belongs to the {part} part, which is not measured")
    return parts


def _heads(parts: set[str], config: EvaluateConfig, bundle: Bundle, console: Console) -> dict[str, Any]:
    """The escalation heads that the bundle has, on the data that are at hand."""
    found = {}
    if "escalation" in parts:
        found["escalation"] = evaluate_escalation(config, bundle, console)
    if "hotlist" in parts:
        found["hotlist"] = evaluate_hotlist(config, bundle, console)
    return found


def evaluate(config: EvaluateConfig, console: Console | None = None) -> dict[str, Any]:
    """Measure, print, and write everything as JSON to `config.out` and as an HTML page beside it."""
    console, out = console or Console(), report_place(config.out)
    bundle = open_bundle(Path(config.bundle) if config.bundle else None)
    found: dict[str, Any] = {"model": bundle.model_id, "config": asdict(config)}
    config = with_present_files(config, bundle, console)
    parts = parts_of(config, bundle, console)
    heads = _heads(parts, config, bundle, console)  # first: what they refuse is told before the long part
    if "text" in parts:
        found["text"] = evaluate_text(config, bundle, bundle.taxonomy, console)
    found |= heads
    for path in write_report(found, out):
        console.print(f"written to {path}", markup=False)
    return found

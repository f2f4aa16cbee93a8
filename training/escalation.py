"""`yujing train escalation`: series -> decisions -> blocks by time -> fit -> calibrate -> compare -> bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import ConfigError, CorpusError
from data.loaders import load_series
from data.records import Series
from data.volume import count_features
from data.volume_windows import HORIZON, Floats
from models.bundle import Bundle, escalation_file, save_part
from models.escalation import EscalationModel
from models.escalation_head import design
from models.escalation_store import dump
from models.manifest import EscalationPart
from models.taught import file_sha256
from training.card import write_card
from training.decisions import Decisions, Topics, decide_on, topics_of
from training.escalation_blocks import Blocks, Rows, blocks, require
from training.escalation_config import EscalationConfig, refuse_bundle
from training.escalation_fit import Table, baseline_probabilities, fit_model, tabulate
from training.escalation_kinds import Kind, kind_if_there, taught_by
from training.escalation_report import (
    figures,
    of_ages,
    of_hours,
    of_months,
    plain,
    sheet,
    sliced,
    spread_of,
)
from training.place import bundle_place
from training.register import register
from training.told import left_out, tell_bad_rows, tell_golden

FOLD = 0.1  # of the topics, tested at each rolling origin


def read_series(config: EscalationConfig, console: Console) -> list[Series]:
    """Load the series, naming the bad rows."""
    loaded = load_series([Path(path) for path in config.series])
    tell_bad_rows(console, loaded.bad)
    if not loaded.rows:
        raise CorpusError(f"no series in {', '.join(config.series)}")
    return loaded.rows


def ends_of_folds(config: EscalationConfig) -> list[float]:
    """Share of the topics, by time, at which each rolling origin's test part ends; ConfigError when they do not fit."""
    most = int(round((1 - config.test) / FOLD, 6) - 1e-9)  # the first one must have topics before it
    if config.folds > most:
        raise ConfigError(
            f"folds={config.folds}: each tests {FOLD:.0%} of the topics and all lie before the latest "
            f"{config.test:.0%}: at most {most} fit, or give a smaller test"
        )
    return [1 - config.test - FOLD * (config.folds - 1 - fold) for fold in range(config.folds)]


def _fold(
    topics: Topics, decisions: Decisions, end: float, config: EscalationConfig, other: Kind | None
) -> dict[str, float]:
    where = blocks(decisions, topics.start, end - FOLD, end, config)
    table = tabulate(topics, decisions, where)
    require(table.labels, where)
    model = fit_model(table, where, config, other=other)
    features = table.features[where.test]
    return plain(table.labels[where.test], model.probabilities(features, np.ones(len(features), bool)))


def rolling(
    topics: Topics, decisions: Decisions, config: EscalationConfig, console: Console, other: Kind | None = None
) -> list[dict[str, float]]:
    """The whole training again at earlier origins, each tested on the next tenth of the topics.

    They come after the fit: one that has too few decisions is told and left out, so that no finished fit is lost.
    """
    found = []
    for end in ends_of_folds(config):
        try:
            found.append(_fold(topics, decisions, end, config, other))
        except (CorpusError, ValueError) as error:  # ValueError: scikit-learn's word for a block of one kind only
            left_out(console, f"the rolling origin at {end - FOLD:.0%} of the topics: {error}")
    return found


def test_block(topics: Topics, decisions: Decisions, config: EscalationConfig) -> Blocks:
    """Blocks whose test part is the latest share of all topics."""
    return blocks(decisions, topics.start, 1 - config.test, 1.0, config)


def measure(
    model: EscalationModel, decisions: Decisions, baselines: Mapping[str, Floats], draws: int
) -> dict[str, Any]:
    """The answers as they are served, beside the baselines, on some decisions.

    `model`, `fallback`: if all topics were answered as those like the training series are, or as others are.
    """
    windows, labels = decisions.windows, decisions.labels(model.diurnal)
    features = design(count_features(windows, model.diurnal), model.names)
    inside = model.in_domain(windows, features)
    served = model.probabilities(features, inside)
    whole, fallback = (model.answered(features, np.full(len(labels), one)) for one in (1.0, 0.0))
    answers = {"model": whole, "fallback": fallback, "as_served": served, **baselines}
    return {
        "models": {name: figures(labels, p, decisions.topic, draws) for name, p in answers.items()},
        "in_domain": plain(labels[inside], served[inside]),
        "out_of_domain": plain(labels[~inside], served[~inside]),
        **sliced(labels, served, _slices(decisions)),
    }


def _slices(decisions: Decisions) -> dict[str, dict[str, Rows]]:
    """Decisions by hours observed, by month and by hour of day."""
    windows = decisions.windows
    return {
        "by_hours_observed": of_ages(windows.length),
        "by_month": of_months(decisions.end - HORIZON),
        "by_hour": of_hours(windows.hour),
    }


def _about(
    config: EscalationConfig, topics: Topics, where: Blocks, decisions: Decisions, table: Table
) -> dict[str, Any]:
    def block(name: str) -> dict[str, Any]:
        rows = getattr(where, name)
        return {
            "topics": len(np.unique(decisions.topic[rows])),
            "decisions": int(rows.sum()),
            "prevalence": round(float(table.labels[rows].mean()), 4),
        }

    return {
        "files": {path: file_sha256(path) for path in config.series},
        "topics": len(topics.counts),
        **{name: block(name) for name in ("fit", "calibration", "test")},
    }


def train_escalation(config: EscalationConfig, console: Console | None = None) -> Bundle:
    """Train, evaluate and register the `counts` head; the bundle lies in `config.out`/bundle."""
    console = console or Console()
    refuse_bundle(config.bundle)
    ends_of_folds(config)  # asked before the fit
    folder = bundle_place(config.out)
    topics = topics_of(read_series(config, console))
    decisions = decide_on(topics)
    where = test_block(topics, decisions, config)
    table = tabulate(topics, decisions, where)
    require(table.labels, where, decisions.topic)
    other = kind_if_there(config, console)
    about = _about(config, topics, where, decisions, table) | taught_by(other, config)
    console.print(about)
    until = float(decisions.end[where.calibration].max())
    model = fit_model(table, where, config, until, other)
    measured = measure(model, decisions.take(where.test), baseline_probabilities(table, where), config.draws)
    console.print(sheet(f"test block: the latest {config.test:.0%} of topics", measured["models"]))
    folds = rolling(topics, decisions, config, console, other)
    measured |= {"rolling_origins": folds, "rolling_mean_and_sd": spread_of(folds)}
    console.print({name: found for name, found in measured.items() if name not in ("models", "rolling_origins")})
    end = model.calibration_end
    known = asdict(config) | {"warn_after_days": model.warn_after_days}
    part = EscalationPart(config=known, data=about, metrics=measured, calibrated_until=end)
    bundle = save_part(folder, None, {escalation_file(model.head): dump(model)}, escalation={model.head: part})
    write_card(bundle)
    console.print(f"bundle {bundle.model_id} in {bundle.folder}, registered as {register(bundle)}", markup=False)
    tell_golden(console, bundle)
    return bundle

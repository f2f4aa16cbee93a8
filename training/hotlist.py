"""`yujing train escalation --head hotlist`: record -> decisions -> blocks -> fit -> calibrate -> compare -> bundle."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from data.errors import CorpusError
from data.hot_topics import read_hot_list
from data.volume_windows import ZONE, Floats
from models.bundle import Bundle, escalation_file, save_part
from models.escalation_store import dump
from models.hotlist import HotlistModel
from models.manifest import EscalationPart
from models.taught import file_sha256
from training.card import write_card
from training.escalation_blocks import MIN_EVENTS, Blocks, require
from training.escalation_config import refuse_bundle
from training.escalation_report import figures, plain, sheet, spread_of
from training.hotlist_baselines import hot_baselines
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import HotDecisions, decide_hot
from training.hotlist_fit import fit_hot_model, hot_blocks, recalibrated
from training.hotlist_report import by_false_alarms, day_figures, slices
from training.hotlist_views import fit_partial, incomplete_views, view_figures, views_to_test
from training.place import bundle_place
from training.register import register
from training.told import left_out, tell_golden


def _fold(decisions: HotDecisions, origin: date, config: HotlistConfig) -> dict[str, Any]:
    where = hot_blocks(decisions.time, origin, origin + timedelta(days=config.fold_days), config)
    require(decisions.labels, where)
    known = decisions.known(where.fit)
    likelihood = answers(fit_hot_model(known, where, config), known, where.test, True)
    return {"from": str(origin), **plain(known.labels[where.test], likelihood)}


def rolling_origins(decisions: HotDecisions, config: HotlistConfig, console: Console) -> list[dict[str, Any]]:
    """The six-hour model again at earlier origins, each tested on the next days, all before the test block.

    One that has too few decisions is told and left out: a record may be too short for it and long enough for the head.
    """
    config, found = replace(config, day=False), []
    for back in range(config.folds, 0, -1):
        origin = config.test_from - timedelta(days=config.fold_days * back)
        try:
            found.append(_fold(decisions, origin, config))
        except CorpusError as error:
            left_out(console, f"the rolling origin at {origin}: {error}")
    return found


def require_days(decisions: HotDecisions, where: Blocks, config: HotlistConfig) -> None:
    """CorpusError when the days of the test block are not on the record."""
    if not where.test.any():
        first, last = (datetime.fromtimestamp(3600 * decisions.time[i], ZONE).date() for i in (0, -1))
        raise CorpusError(
            f"no decision from {config.test_from} to {config.test_to}, the test block; those of {config.record} run "
            f"from {first} to {last}: give test_from and test_to of these days, such as --set test_from={last}"
        )


def answers(model: HotlistModel, decisions: HotDecisions, rows: NDArray[np.bool_], main: bool) -> Floats:
    features = decisions.features[rows]
    return model.probabilities(features, np.full(len(features), main))


def measure_hot(model: HotlistModel, decisions: HotDecisions, where: Blocks, config: HotlistConfig) -> dict[str, Any]:
    """The model, the same recalibrated weekly, and the baselines on the test block; slices and the cost of alarms."""
    test, likelihood = decisions.take(where.test), answers(model, decisions, np.ones(len(decisions.time), bool), True)
    compared = {
        "model": likelihood[where.test],
        "recalibrated_weekly": recalibrated(decisions, likelihood, where.test, config),
        "logistic_regression": answers(model, decisions, where.test, False),
        **hot_baselines(decisions, where),
    }
    return {
        "models": {name: figures(test.labels, p, test.day, config.draws) for name, p in compared.items()},
        "alarm_24h": day_figures(model, test, config.draws),
        **slices(test, compared["model"]),
        "by_false_alarms_per_day": by_false_alarms(test, compared["model"]),
    }


def _about(config: HotlistConfig, decisions: HotDecisions, where: Blocks) -> dict[str, Any]:
    def block(rows: NDArray[np.bool_]) -> dict[str, Any]:
        return {"decisions": int(rows.sum()), "prevalence": round(float(decisions.labels[rows].mean()), 4)}

    blocks = {name: block(getattr(where, name)) for name in ("fit", "calibration", "test")}
    return {"files": {Path(config.record).name: file_sha256(config.record)}, **blocks}


def train_hotlist(config: HotlistConfig, console: Console | None = None) -> Bundle:
    """Train, evaluate and register the `hotlist` head; the bundle lies in `config.out`/bundle."""
    console, folder = console or Console(), bundle_place(config.out)
    refuse_bundle(config.bundle)
    hot = read_hot_list(Path(config.record))
    decisions = decide_hot(hot)
    where = hot_blocks(decisions.time, config.test_from, config.test_to, config)
    require_days(decisions, where, config)
    require(decisions.labels, where)
    about = _about(config, decisions, where)
    console.print(about)
    folds = rolling_origins(decisions, config, console)
    decisions = decisions.known(where.fit)
    views, model = incomplete_views(hot), fit_hot_model(decisions, where, config)
    model = replace(model, partial=fit_partial(views, model.names, config))
    if model.partial is None:
        left_out(
            console,
            f"trees for incomplete views: under {MIN_EVENTS} crossings in those of the fit or calibration block",
        )
    measured = measure_hot(model, decisions, where, config)
    console.print(sheet(f"alarm_6h, test block {config.test_from} to {config.test_to}", measured["models"]))
    measured["views"] = view_figures(model, views_to_test(views, config), config.draws)
    for view, found in measured["views"].items():
        console.print(sheet(f"alarm_6h, {view}", found["models"]))
    measured |= {"rolling_origins": folds, "rolling_mean_and_sd": spread_of(folds)}
    console.print({name: found for name, found in measured.items() if name not in ("models", "views")})
    end = model.calibration_end
    known = asdict(config) | {"warn_after_days": model.warn_after_days}
    part = EscalationPart(config=known, data=about, metrics=measured, calibrated_until=end)
    files = {escalation_file(model.head): dump(model)}
    bundle = save_part(folder, None, files, escalation={model.head: part})
    write_card(bundle)
    console.print(f"bundle {bundle.model_id} in {bundle.folder}, registered as {register(bundle)}", markup=False)
    tell_golden(console, bundle)
    return bundle

"""`yujing evaluate` for the `hotlist` head: figures, slices, the cost of alarms; on request what each feature paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import CorpusError
from data.hot_topics import HotList, read_hot_list
from data.hotlist_features import AWAY
from models.bundle import Bundle
from models.escalation_store import open_head
from models.hotlist import HotlistModel
from models.hotlist_words import HOT_GROUPS, VIEWS
from models.manifest import EscalationPart
from models.taught import file_sha256
from training.config import settings_of
from training.escalation_blend import calibrated, near_trees
from training.escalation_blocks import require
from training.escalation_report import figures, plain, sheet
from training.escalation_unseen import since, tell_days, unseen
from training.evaluate_config import EvaluateConfig
from training.hotlist import answers, measure_hot
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import HotDecisions, decide_hot
from training.hotlist_fit import hot_blocks, monotone_trees
from training.hotlist_report import ablation_sheet, by_false_alarms, day_figures, slices
from training.hotlist_views import incomplete_views, view_blocks, view_figures
from training.taught import tell_changed
from training.told import left_out

SAMPLE = 60_000  # decisions that an ablation is fitted on


def _without(names: tuple[str, ...], group: str | None) -> list[int]:
    """Columns that are left without a group of features."""
    prefixes = HOT_GROUPS[group] if group else ()
    return [i for i, name in enumerate(names) if not (prefixes and name.startswith(prefixes))]


def ablation(decisions: HotDecisions, config: HotlistConfig) -> dict[str, dict[str, float]]:
    """Trees without each group of features, fitted on a sample and tested on the days before the test block.

    CorpusError when the record has too few decisions there, as one of other days has.
    """
    origin = config.test_from - timedelta(days=config.fold_days)
    where = hot_blocks(decisions.time, origin, config.test_from, config)
    require(decisions.labels, where)
    decisions = decisions.known(where.fit).without((AWAY,))
    random = np.random.default_rng(config.seed)
    fit = np.flatnonzero(where.fit)
    fit = np.sort(random.permutation(fit)[:SAMPLE])
    found = {}
    for group in (None, *HOT_GROUPS):
        columns = _without(decisions.names, group)
        if group and len(columns) == len(decisions.names):
            continue
        names, features = tuple(decisions.names[i] for i in columns), decisions.features[:, columns]
        trees = near_trees(monotone_trees(names, config), features[fit], decisions.nearness[fit])
        model = calibrated(trees, features[where.calibration], decisions.labels[where.calibration])
        likelihood = model.predict_proba(features[where.test])[:, 1]
        found[f"without {group}" if group else "all features"] = plain(decisions.labels[where.test], likelihood)
    return found


def _ready(decisions: HotDecisions, model: HotlistModel) -> HotDecisions:
    """The features that the model reads, in its order."""
    return replace(decisions, names=model.read, features=decisions.columns(model.read))


def _others(model: HotlistModel, decisions: HotDecisions, draws: int) -> dict[str, Any]:
    """Every decision of another record: the head and its fallback, slices, the cost of alarms."""
    every = np.ones(len(decisions.time), bool)
    found = {
        name: answers(model, decisions, every, main) for name, main in (("model", True), ("logistic_regression", False))
    }
    return {
        "models": {name: figures(decisions.labels, p, decisions.day, draws) for name, p in found.items()},
        "alarm_24h": day_figures(model, decisions, draws),
        **slices(decisions, found["model"]),
        "by_false_alarms_per_day": by_false_alarms(decisions, found["model"]),
    }


def _views(
    hot: HotList, part: EscalationPart, settings: HotlistConfig | None, console: Console
) -> dict[str, HotDecisions]:
    """The incomplete views that a head is measured on: of its test block (`settings`), or of a whole other record.

    One without a decision later than the recalibration is told and left out.
    """
    found = {}
    for name, view in incomplete_views(hot).items():
        tested = np.ones(len(view.time), bool) if settings is None else view_blocks(view, settings).test
        if not tested.any():
            continue
        try:
            found[name] = view.take(unseen(tested, view.time, part))
        except CorpusError as error:
            left_out(console, f"the view {name}: {error}")
    return found


def evaluate_hotlist(config: EvaluateConfig, bundle: Bundle, console: Console) -> dict[str, Any]:
    """The head beside its baselines on the test days of its training, or on every decision of another record."""
    part = bundle.manifest.escalation["hotlist"]
    model = open_head(bundle, HotlistModel)
    settings = settings_of(HotlistConfig, part.config, record=config.record, draws=config.draws)
    hot = read_hot_list(Path(config.record))
    decisions = decide_hot(hot)
    ready, title, own = _ready(decisions, model), "all decisions of another record", False
    if file_sha256(config.record) in part.data.get("files", {}).values():
        title, own = f"{settings.test_from} to {settings.test_to}", True
        where = hot_blocks(ready.time, settings.test_from, settings.test_to, settings)
        where = replace(where, test=unseen(where.test, ready.time, part))
        found = measure_hot(model, ready, where, settings)
    else:
        tell_changed((config.record,), part.config, part.data, console, ("record",))
        later = unseen(np.ones(len(ready.time), bool), ready.time, part)
        tell_days(float(ready.time[later].min()), settings.test_from, console)
        found = _others(model, ready.take(later), config.draws)
    console.print(sheet(f"alarm_6h, {title}{since(part)}", found["models"]))
    console.print({name: value for name, value in found.items() if name != "models"})
    found["views"] = view_figures(model, _views(hot, part, settings if own else None, console), config.draws)
    for view, told in found["views"].items():
        console.print(sheet(f"alarm_6h, {VIEWS[view]}, {title}{since(part)}", told["models"]))
    if config.ablation:
        found |= _ablation_if_possible(decisions, settings, console)
    return found


def _ablation_if_possible(decisions: HotDecisions, settings: HotlistConfig, console: Console) -> dict[str, Any]:
    """The ablation, printed; told and left out without the days that it needs: it comes after all other figures."""
    try:
        found = ablation(decisions, settings)
    except CorpusError as error:
        left_out(console, f"ablation before {settings.test_from}, the test block of the training: {error}")
        return {}
    console.print(ablation_sheet(found))
    return {"ablation": found}

"""`yujing policy simulate`: history through the risk policy; a table, a picture and JSON in `config.out`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Sheet

from data.errors import ConfigError, CorpusError
from data.hot_topics import read_hot_list
from data.volume import count_features
from data.volume_windows import HORIZON, Floats
from models.bundle import Bundle, open_bundle
from models.escalation import EscalationModel
from models.escalation_head import design
from models.escalation_store import Head, kind_of, open_head
from models.hotlist import HotlistModel
from models.policy import DEFAULT_PATH, Policy
from training.config import settings_of
from training.decisions import Decisions, Topics, decide_on, topics_of
from training.escalation import read_series, test_block
from training.escalation_chart import chart
from training.escalation_config import EscalationConfig
from training.escalation_replay import Outcome, Replay, by_level, choose, curve, outcome, thresholds
from training.escalation_simulate_config import SimulateConfig
from training.escalation_unseen import tell_days, unseen
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import MARGIN, decide_hot
from training.hotlist_fit import hot_blocks, hour_of
from training.place import require_folder
from training.report_html import write_json, write_whole
from training.taught import known_files, tell_changed


@dataclass(frozen=True, slots=True)
class History:
    """What the threshold is chosen on, and the later block that is replayed."""

    earlier: Replay
    replayed: Replay


def crossings(topics: Topics, decisions: Decisions, diurnal: Floats) -> Floats:
    """Hour at which the topic of each decision first has the posts that make an escalation; inf = never: [n]."""
    wanted = decisions.needed(diurnal)
    first = np.full(len(topics.counts), np.inf)
    for row in np.flatnonzero(decisions.labels(diurnal)):
        topic, age = decisions.topic[row], decisions.windows.length[row]
        posts = np.cumsum(topics.counts[topic][age : age + HORIZON])
        hours = 1 + int(np.argmax(posts >= min(wanted[row], posts[-1])))
        first[topic] = min(first[topic], decisions.start[row] + age + hours)
    return np.asarray(first[decisions.topic])


def counts_history(model: EscalationModel, bundle: Bundle, config: SimulateConfig, console: Console) -> History:
    """The blocks of the training: calibration, then test; or those of series that taught the head nothing.

    CorpusError for both kinds together: the latest topics of all might have taught it.
    """
    head = bundle.manifest.escalation["counts"]
    if known_files(config.series, [*head.data.get("files", {}).values()]) is None:
        tell_changed(config.series, head.config, head.data, console, ("series",))
    settings = settings_of(EscalationConfig, head.config, series=config.series)
    topics = topics_of(read_series(settings, console))
    decisions = decide_on(topics)
    where = test_block(topics, decisions, settings)
    features = design(count_features(decisions.windows, model.diurnal), model.names)
    likelihood = model.probabilities(features, model.in_domain(decisions.windows, features))
    now, crossing = decisions.end - HORIZON, crossings(topics, decisions, model.diurnal)

    def part(rows: Any) -> Replay:
        return Replay.of(decisions.topic[rows], now[rows], likelihood[rows], crossing[rows])

    return History(part(where.calibration), part(unseen(where.test, now, head)))


def hotlist_history(model: HotlistModel, bundle: Bundle, config: SimulateConfig, console: Console) -> History:
    """The blocks of the training or other days: those before the first day, then the days."""
    head = bundle.manifest.escalation["hotlist"]
    settings = settings_of(HotlistConfig, head.config)
    test_from, test_to = config.test_from or settings.test_from, config.test_to or settings.test_to
    tell_days(hour_of(test_from), settings.test_from, console)
    begin = hour_of(test_from - timedelta(days=settings.calibration_days))
    decisions = decide_hot(read_hot_list(Path(config.record)).since(begin - MARGIN))
    where = hot_blocks(decisions.time, test_from, test_to, settings)
    features = decisions.columns(model.read)
    likelihood = model.probabilities(features, np.ones(len(features), bool))

    def part(rows: Any) -> Replay:
        return Replay.of(decisions.episode[rows], decisions.time[rows], likelihood[rows], decisions.alarm[rows])

    return History(part(where.calibration), part(unseen(where.test, decisions.time, head)))


READ: Mapping[type, Callable[..., History]] = {EscalationModel: counts_history, HotlistModel: hotlist_history}


def rows_of(history: History, policy: Policy, config: SimulateConfig, base_rate: float) -> dict[str, Outcome]:
    """Each risk level on the replayed block, then the threshold that was chosen on the earlier one."""
    levels = by_level(history.replayed, policy, config.severity, base_rate)
    at = choose(history.earlier, config.false_alarms_per_day, config.miss_cost, config.false_alarm_cost)
    name = f"threshold {at:.4f} (lift {at / base_rate:.2f})"  # the policy reads lifts
    return {**levels, name: outcome(history.replayed, history.replayed.likelihood >= at)}


def table_of(title: str, rows: Mapping[str, Outcome]) -> Sheet:
    """One row per level and threshold."""
    heads = ("rule", "alerts", "precision", "false alarms/day", "crossings", "caught", "misses", "recall", "lead h")
    sheet = Sheet(*heads, title=title)
    for name, found in rows.items():
        lead = "-" if found.lead_hours is None else "{1} [{0}, {2}]".format(*found.lead_hours)
        numbers = (found.alerts, f"{found.precision:.3f}", found.false_alarms_per_day, found.crossings, found.caught)
        sheet.add_row(name, *map(str, numbers), str(found.misses), f"{found.recall:.3f}", lead)
    return sheet


def _open(head: str, config: SimulateConfig, console: Console) -> tuple[Bundle, Head, Policy]:
    """What is measured, and told so."""
    bundle = open_bundle(_path(config.bundle))
    model = open_head(bundle, kind_of(head))
    policy = Policy.load(_path(config.policy), bundle.taxonomy, _path(config.signals))
    told = f"{bundle.model_id} ({bundle.folder}) by the risk policy {config.policy or DEFAULT_PATH}"
    console.print(told, markup=False, soft_wrap=True)
    return bundle, model, policy


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _refuse_unread(head: str, config: SimulateConfig) -> None:
    """ConfigError for settings that this head does not read: the answer would be about something else."""
    own = {"counts": ("series",), "hotlist": ("record", "test_from", "test_to")}
    plain = SimulateConfig()
    for other, names in own.items():
        given = [name for name in names if other != head and getattr(config, name) != getattr(plain, name)]
        if given:
            raise ConfigError(
                f"{', '.join(given)}: the head {head} does not read this: give --head {other}, or leave it out"
            )


def simulate(head: str, config: SimulateConfig, console: Console | None = None) -> dict[str, Any]:
    """Replay, print the table, write `<head>.json` and `<head>.svg`."""
    console = console or Console()
    _refuse_unread(head, config)
    out = Path(config.out)
    require_folder(out)
    bundle, model, policy = _open(head, config, console)
    history = READ[type(model)](model, bundle, config, console)
    if not len(history.earlier.time) or not len(history.replayed.time):
        raise CorpusError("no decision in the block to choose on or to replay: give more data, or other days")
    rows = rows_of(history, policy, config, model.base_rate)
    line = curve(history.replayed, thresholds(history.replayed))
    title = f"{head}: {len(history.replayed.time)} decisions on {history.replayed.days} days"
    found = {
        "model": bundle.model_id,
        "config": asdict(config),
        "days": history.replayed.days,
        "decisions": len(history.replayed.time),
        "rules": {name: asdict(one) for name, one in rows.items()},
        "curve": [{"threshold": at, **asdict(one)} for at, one in line],
    }
    points = [(one.false_alarms_per_day, one.recall) for _, one in line]
    marks = {name: (one.false_alarms_per_day, one.recall) for name, one in rows.items() if one.alerts}
    write_json(found, out / f"{head}.json")
    write_whole(out / f"{head}.svg", chart(title, points, marks))
    console.print(table_of(title, rows))
    console.print(f"written to {out / head}.json and {out / head}.svg", markup=False)
    return found

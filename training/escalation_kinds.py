"""A second kind of series for the fallback: hourly discussions of hot-search topics beside cascades of single posts.

The fallback answers for topics unlike the training series, so it should not know one kind only. `record_share` was
chosen before the test block: with more of the second kind larger cascades are promised too much (Brier skill of
`larger` there: 0.16, 0.14, 0.10 at a share of 0.25, 0.5, 1), with less the second kind is promised too little (0.33,
0.37, 0.39).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console

from data.errors import CorpusError
from data.hot_series import discussion_series, on_record
from data.hot_topics import HotList, read_hot_list
from data.volume import count_features
from data.volume_windows import HORIZON, Floats, Ints, Windows
from models.escalation_head import design
from models.taught import file_sha256
from training.decisions import Decisions, decide_on, topics_of
from training.escalation_blocks import Blocks, blocks
from training.escalation_config import HOT_LIST, EscalationConfig
from training.hotlist_fit import hour_of
from training.told import left_out

Target = TypeVar("Target", Floats, Ints)  # nearness or labels, [n]


@dataclass(frozen=True, slots=True)
class Kind:
    """Decisions on series of another kind, and their blocks by time."""

    decisions: Decisions
    where: Blocks

    @property
    def early_windows(self) -> Windows:
        """Windows of the fit block."""
        return self.decisions.windows.take(self.where.fit)

    def early(self, names: Sequence[str], diurnal: Floats) -> tuple[Floats, Floats]:
        """Features [n, columns] and nearness of the fit block, by the hours of the day of the head's own series."""
        taken = self.decisions.take(self.where.fit)
        return design(count_features(taken.windows, diurnal), names), taken.nearness(diurnal)

    def late(self, names: Sequence[str], diurnal: Floats) -> tuple[Floats, Ints]:
        """Features and labels of the calibration block, likewise."""
        taken = self.decisions.take(self.where.calibration)
        return design(count_features(taken.windows, diurnal), names), taken.labels(diurnal)


def read_if_there(path: str | None) -> HotList | None:
    """The hot list on record; None where there is no such file, since the head can do without."""
    return read_hot_list(Path(path)) if path and Path(path).is_file() else None


def hot_decisions(hot: HotList, sample: int, seed: int) -> tuple[Floats, Decisions]:
    """Decisions on the hourly discussions of some hot-search topics, at hours in which the topic was on the list.

    In the hours between, what is spread over the gap is known only later. Beside them the absolute hour at which each
    topic begins: [topics].
    """
    series = discussion_series(hot)
    chosen = np.random.default_rng(seed).permutation(len(series))[:sample]
    taken = sorted((series[i] for i in chosen), key=lambda one: one.start)  # as `topics_of` numbers them
    topics = topics_of(taken)
    decisions, known = decide_on(topics), on_record(hot)
    hours = zip(decisions.topic, decisions.end - HORIZON, strict=True)
    return topics.start, decisions.take(np.array([(taken[topic].topic_id, hour) in known for topic, hour in hours]))


def kind_of(hot: HotList, config: EscalationConfig) -> Kind | None:
    """Hot-search topics before `record_until` teach and calibrate, later ones test; None where none is before it."""
    start, decisions = hot_decisions(hot, config.record_topics, config.seed)
    before = float((start < hour_of(config.record_until)).mean())
    if not before:
        return None
    where = blocks(decisions, start, min(before, 1 - 1 / len(start)), 1.0, config)
    return Kind(decisions, where)


def require_record(config: EscalationConfig) -> None:
    """CorpusError when a record that was asked for is not there; the usual one may be absent."""
    if config.record and config.record != HOT_LIST and not Path(config.record).is_file():
        raise CorpusError(f"{config.record}: no such file: give a hot list that is there, or record=''")


def kind_if_there(config: EscalationConfig, console: Console) -> Kind | None:
    """The second kind, where its record is at hand; CorpusError when a record that was asked for is not, or is no use.

    Told when all of its topics are later than those that may teach.
    """
    require_record(config)
    hot = read_if_there(config.record)
    try:
        kind = None if hot is None else kind_of(hot, config)
    except CorpusError as error:
        raise CorpusError(f"discussions on {config.record}: {error}; or record='' to do without") from None
    if hot is not None and kind is None:
        left_out(console, f"{config.record}: no topic of it begins before record_until={config.record_until}")
    return kind


def taught_by(other: Kind | None, config: EscalationConfig) -> dict[str, Any]:
    """What the manifest says of the second kind; empty without it."""
    if other is None or config.record is None:
        return {}
    rows = {name: int(getattr(other.where, name).sum()) for name in ("fit", "calibration", "test")}
    return {"fallback_also": {"file": Path(config.record).name, "sha256": file_sha256(config.record), **rows}}


def mixed(own: tuple[Floats, Target], other: tuple[Floats, Target], config: EscalationConfig) -> tuple[Floats, Target]:
    """Both kinds in one; of the other at most `record_share` times as many decisions as of the own."""
    chosen = np.random.default_rng(config.seed).permutation(len(other[1]))[: int(config.record_share * len(own[1]))]
    return np.concatenate([own[0], other[0][chosen]]), np.concatenate([own[1], other[1][chosen]])

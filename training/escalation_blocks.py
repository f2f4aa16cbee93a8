"""Blocks of decisions by time: to fit on, to calibrate on, to test on, with an embargo between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import CorpusError
from data.volume_windows import Floats, Ints
from training.decisions import Decisions
from training.escalation_config import EscalationConfig

MIN_EVENTS = 30  # escalations (and calm decisions) that each block needs
MIN_TOPICS = 10  # topics that escalate in each block
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Decisions to fit on, then to calibrate on, then to test on; an embargo between them."""

    fit: Rows
    calibration: Rows
    test: Rows


def blocks(decisions: Decisions, starts: Floats, origin: float, end: float, config: EscalationConfig) -> Blocks:
    """Test on topics from share `origin` to `end` of all by time, calibrate on the latest before, fit on the rest.

    A topic belongs to an earlier block only if its last label ends `embargo_hours` before the next block begins.
    """
    test_from, test_to = np.quantile(starts, [origin, end], method="lower")
    before = starts[starts < test_from]
    if not len(before):
        raise CorpusError(f"no topic begins before the test block: {len(starts)} are too few: give more topics")
    calibrate_from = np.quantile(before, 1 - config.calibration, method="lower")
    last = np.full(len(starts), -np.inf)
    np.maximum.at(last, decisions.topic, decisions.end)
    last = last[decisions.topic] + config.embargo_hours
    upper = decisions.start <= test_to if end >= 1 else decisions.start < test_to
    return Blocks(
        fit=last <= calibrate_from,
        calibration=(decisions.start >= calibrate_from) & (last <= test_from),
        test=(decisions.start >= test_from) & upper,
    )


def require(labels: Ints, where: Blocks, topics: Ints | None = None) -> None:
    """CorpusError when a block is too small or one-sided to say anything.

    `topics` [n]: escalations of one topic are one story, so each block needs them from several.
    """
    for name in ("fit", "calibration", "test"):
        taken = labels[getattr(where, name)]
        events, calm = int(taken.sum()), int((1 - taken).sum())
        if min(events, calm) < MIN_EVENTS:
            raise CorpusError(
                f"the {name} block has {events} escalations and {calm} calm decisions: "
                f"at least {MIN_EVENTS} of each are needed: give more topics, or a longer time"
            )
        stories = None if topics is None else len(np.unique(topics[getattr(where, name)][taken == 1]))
        if stories is not None and stories < MIN_TOPICS:
            raise CorpusError(
                f"the {name} block has escalations of {stories} topics only: "
                f"at least {MIN_TOPICS} are needed: give more topics, or a longer time"
            )

"""Synthetic topics whose posts bring further posts, by a clock and with sudden turns: tiny, yet learnable."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from data.records import Series
from data.volume_windows import ZONE
from models.escalation import EscalationModel
from training.decisions import Decisions, Topics, decide_on, topics_of
from training.escalation_blocks import Blocks, blocks
from training.escalation_config import EscalationConfig
from training.escalation_fit import Table, fit_model, tabulate

START = datetime(2024, 1, 1, tzinfo=ZONE)
HOURS = 48
CONFIG = EscalationConfig(iterations=30, learning_rate=0.1, leaf_rows=20, draws=10, calibration=0.25)


def topic(number: int) -> Series:
    """One topic: each post brings about 0.9 more at once, and the pull of the topic itself drifts."""
    random = np.random.default_rng(number)
    start = START + timedelta(hours=12 * number)
    counts: list[float] = []
    memory, pull = 6.0, 0.9
    for hour in range(HOURS):
        pull = float(np.clip(pull + random.normal(0, 0.12), 0.5, 1.3))
        clock = 0.6 if (start.hour + hour) % 24 < 7 else 1.1
        posts = min(int(random.poisson(1 + clock * pull * memory)), 3_000)
        memory = 0.5 * memory + 0.5 * posts
        counts.append(posts)
    authors = tuple(float(round(0.8 * count)) for count in counts)
    negative = tuple(float(random.binomial(int(count), 0.3)) for count in counts)
    return Series(
        topic_id=f"t{number}",
        start=start,
        interval_minutes=60,
        counts=tuple(counts),
        authors=authors,
        negative=negative,
    )


def write_series(path: Path) -> Path:
    """The 200 topics as a JSONL file."""
    rows = [topic(number) for number in range(200)]
    lines = [{**{name: getattr(row, name) for name in row.__slots__}, "start": row.start.isoformat()} for row in rows]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@cache
def trained() -> tuple[Topics, Decisions, Blocks, Table]:
    """200 topics over 100 days, their decisions, blocks and table."""
    topics = topics_of([topic(number) for number in range(200)])
    decisions = decide_on(topics)
    where = blocks(decisions, topics.start, 1 - CONFIG.test, 1.0, CONFIG)
    return topics, decisions, where, tabulate(topics, decisions, where)


@cache
def model() -> EscalationModel:
    """The model of these topics."""
    _, _, where, table = trained()
    return fit_model(table, where, CONFIG)

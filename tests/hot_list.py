"""A synthetic hot-search list: topics come, drift and return; tiny, yet learnable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from data.hot_topics import HotList, hot_list_of
from data.hotlist import ARRAYS
from data.records import MAX_POINTS, Volume
from data.volume_windows import ZONE
from models.hotlist import HotlistModel
from training.escalation_blocks import Blocks
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import HotDecisions, decide_hot
from training.hotlist_fit import fit_hot_model, hot_blocks

START = datetime(2024, 1, 1, tzinfo=ZONE)
DAYS, TITLES = 70, 2_000
CONFIG = HotlistConfig(
    test_from=date(2024, 2, 24), test_to=date(2024, 3, 11), calibration_days=16, embargo_hours=24, folds=1,
    fold_days=8, recalibrate_days=10, iterations=40, learning_rate=0.1, leaf_rows=20, draws=10,
)  # fmt: skip

Row = tuple[float, str, float, float | None]  # hours since START, title, heat, rank


def table_of(rows: Sequence[Row], attention: Sequence[tuple[float, float, float]] | None = None) -> pa.Table:
    """Rows as the record has them; reads, discussions and originals rise with the row number unless given."""
    attention = attention or [(1_000.0 * i, 10.0 * i, 1.0 * i) for i in range(1, len(rows) + 1)]
    times = [START + timedelta(hours=row[0]) for row in rows]
    columns = {name: [int(values[i]) for values in attention] for i, name in enumerate(("read", "discuss", "origin"))}
    return pa.table(
        {
            "time": pa.array(times, pa.timestamp("us", "Asia/Shanghai")),
            "title": [row[1] for row in rows],
            "heat": [int(row[2]) for row in rows],
            "rank": pa.array([row[3] for row in rows], pa.int64()),
            **columns,
            "ads": [False] * len(rows),
        }
    )


def hot(rows: Sequence[Row]) -> HotList:
    return hot_list_of(table_of(rows))


def _lives(random: np.random.Generator) -> list[Row]:
    """Titles with one or two visits; the pull of a topic persists, so that a riser keeps rising for a while."""
    minutes, rows = random.uniform(0.2, 0.6, DAYS * 24), []
    for number in range(TITLES):
        slot = int(random.integers(0, DAYS * 24))
        for _ in range(int(random.integers(1, 3))):
            heat, pull = random.normal(12, 0.5), random.normal(0.05, 0.3)
            for _ in range(int(random.geometric(0.2))):
                if slot < DAYS * 24 and slot % 24 != 8:  # a snapshot that is missing every day
                    rows.append((slot + minutes[slot], f"t{number}", float(np.exp(heat)), None))
                pull = 0.7 * pull + random.normal(0, 0.15)
                heat, slot = float(np.clip(heat + pull, 9, 16)), slot + 1
            slot += int(random.integers(4, 30))
    return rows


@cache
def table() -> pa.Table:
    """70 days of the list, as recorded."""
    random = np.random.default_rng(5)
    rows = sorted(_lives(random))
    places = [float(random.integers(1, 51)) for _ in rows]
    attention = [tuple(row[2] * random.uniform(1, 2) * k for k in (20, 0.05, 0.01)) for row in rows]
    placed = [(*row[:3], place) for row, place in zip(rows, places, strict=True)]
    return table_of(placed, attention)  # type: ignore[arg-type]


@cache
def record() -> HotList:
    """The same, as it is read."""
    return hot_list_of(table())


def volume_at(topics: HotList, row: int) -> Volume:
    """What a caller would send about a topic at one row: a week of hours, null where it was not on the list."""
    slots = topics.slot[row] - topics.slot
    past = (topics.topic == topics.topic[row]) & (slots >= 0) & (slots < MAX_POINTS)
    length = int(slots[past].max()) + 1
    arrays: dict[str, tuple[float | None, ...]] = {}
    for name in ARRAYS:
        values: list[float | None] = [None] * length
        for slot, value in zip(slots[past], getattr(topics, name)[past], strict=True):
            values[length - 1 - slot] = None if np.isnan(value) else float(value)
        arrays[name] = tuple(values)
    at = datetime.fromtimestamp(round(topics.time[row] * 3600), UTC)
    return Volume(as_of=at, alarm_threshold=float(topics.line[row]), **arrays)


@cache
def trained() -> tuple[HotDecisions, Blocks]:
    """All decisions of the record and their blocks."""
    decisions = decide_hot(record())
    return decisions, hot_blocks(decisions.time, CONFIG.test_from, CONFIG.test_to, CONFIG)


@cache
def model() -> HotlistModel:
    """The model of these topics."""
    return fit_hot_model(*trained(), CONFIG)

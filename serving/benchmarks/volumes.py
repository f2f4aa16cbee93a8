"""Topics of 168 hours: what their features cost, and their whole answers, one by one and many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain, cycle, islice
from typing import Any

from data.hotlist import hot_windows_of
from data.hotlist_features import hot_features
from data.records import MAX_POINTS, Volume
from data.samples import sample_series
from data.volume import count_features
from data.volume_windows import windows_of
from models.escalation import EscalationModel
from models.escalation_store import Head
from models.scorer import Scorer
from serving.benchmarks.clock import Spread, take_turns

MANY = 256  # topics of a full request
ALARM = 500.0  # posts an hour that pass for the alarm line of the hot-search list


def long_volumes(head: str, count: int) -> list[Volume]:
    """`count` topics of 168 hours, made of the sample series end to end, none like another."""
    hours = [float(value or 0) for series in sample_series() for value in series.counts]
    at, found = datetime(2026, 3, 15, 4, tzinfo=UTC), []
    for start in range(count):
        counts = tuple(islice(chain(hours[start % len(hours) :], cycle(hours)), MAX_POINTS))
        volume = Volume(as_of=at, counts=counts)
        hot = replace(volume, heat=counts, rank=tuple(1.0 + value % 50 for value in counts), alarm_threshold=ALARM)
        found.append(hot if head == "hotlist" else volume)
    return found


def run_volumes(scorer: Scorer, topics: int, rounds: int) -> dict[str, Any]:
    """Milliseconds a topic, by head: features and answers of one topic at a time, and of MANY at once."""
    return {
        name: _head(head, long_volumes(name, max(topics, MANY)), rounds) for name, head in scorer.escalation.items()
    }


def _head(head: Head, volumes: Sequence[Volume], rounds: int) -> dict[str, Any]:
    features = _features(head)
    works: dict[str, tuple[Callable[[Sequence[Volume]], object], int]] = {
        "features": (features, 1),
        "answer": (head.predict, 1),
        f"features, {MANY} at once": (features, MANY),
        f"answer, {MANY} at once": (head.predict, MANY),
    }
    spent = take_turns({name: _work(work, volumes, size) for name, (work, size) in works.items()}, rounds)
    milliseconds = {name: [1000 * one.wall / len(volumes) for one in turns] for name, turns in spent.items()}
    return {name: asdict(Spread.of(values)) for name, values in milliseconds.items()}


def _features(head: Head) -> Callable[[Sequence[Volume]], object]:
    if isinstance(head, EscalationModel):
        return lambda volumes: count_features(windows_of(volumes), head.diurnal)
    return lambda volumes: hot_features(hot_windows_of(volumes))


def _work(work: Callable[[Sequence[Volume]], object], volumes: Sequence[Volume], size: int) -> Callable[[int], object]:
    parts = [volumes[start : start + size] for start in range(0, len(volumes), size)]
    return lambda _: [work(part) for part in parts]

"""Timing on a noisy machine: contenders take turns within a round, and a ratio compares two turns of one round."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock and of this process's threads on a CPU; the second one ignores what others do there."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(*(float(f"{value:.4g}") for value in (median(values), min(values), max(values))))


def spend(work: Callable[[], object]) -> Spent:
    """Do it once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


Work = Callable[[int], object]  # given the number of the round; 0 is the one that warms up


def take_turns(contenders: Mapping[str, Work], rounds: int) -> dict[str, list[Spent]]:
    """Each once to warm up, then once per round; another one begins each round."""
    names = list(contenders)
    for work in contenders.values():
        work(0)
    spent: dict[str, list[Spent]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            spent[name].append(spend(partial(contenders[name], turn + 1)))
    return spent


def compare(spent: Mapping[str, Sequence[Spent]], name: str, peer: str, rows: int) -> dict[str, Spread]:
    """Rows per second of `name`, and how many times as fast as `peer` it is, by CPU and by the clock."""
    ours, theirs = spent[name], spent[peer]
    pairs = list(zip(theirs, ours, strict=True))
    return {
        "rows_per_cpu_second": Spread.of([rows / one.cpu for one in ours]),
        "rows_per_second": Spread.of([rows / one.wall for one in ours]),
        "times_by_cpu": Spread.of([their.cpu / our.cpu for their, our in pairs]),
        "times_by_clock": Spread.of([their.wall / our.wall for their, our in pairs]),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def usable() -> list[int]:
    """Cores that this process may use; none where the system does not say (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin(cores: Sequence[int]) -> None:
    """Keep this thread, and what it starts from now on, on these cores."""
    if cores:
        os.sched_setaffinity(0, cores)

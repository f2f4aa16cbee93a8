"""What a soak of the service showed: figures of each ten seconds, of all of it, and what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from serving.benchmarks.clock import percentile

WINDOW = 10.0  # seconds
SETTLED = 120.0  # seconds after which memory may no longer grow
END = 60.0  # seconds at the end whose mean is compared with the mean of as many from SETTLED on
GROWTH, P99, SLICE = 0.05, 1.0, 0.5  # limits: share of memory, seconds; a short soak compares parts of itself
REFUSED = (429, 503)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the client saw it."""

    due: float
    seconds: float
    status: int
    wait: bool
    ids: Sequence[str]


def read(path: Path) -> list[Asked]:
    """The client's lines."""
    with path.open(encoding="utf-8") as lines:
        return [Asked(**json.loads(line)) for line in lines]


def tally(asked: Sequence[Asked]) -> dict[str, Any]:
    """Counts and, of accepted requests, milliseconds."""
    served = [one.seconds for one in asked if one.status == 200]
    refused = [one for one in asked if one.status in REFUSED]
    return {
        "sent": len(asked),
        "accepted": len(served),
        **{f"refused_{status}": sum(one.status == status for one in refused) for status in REFUSED},
        "refused_without_retry_after": sum(not one.wait for one in refused),
        "other_errors": sum(one.status not in (0, 200, *REFUSED) for one in asked),
        "lost": sum(one.status == 0 for one in asked),
        "p50_ms": round(1_000 * percentile(served, 0.5), 1) if served else None,
        "p99_ms": round(1_000 * percentile(served, 0.99), 1) if served else None,
        "refusal_p99_ms": round(1_000 * percentile([one.seconds for one in refused], 0.99), 1) if refused else None,
    }


def windows(asked: Iterable[Asked], memory: Mapping[float, float]) -> list[dict[str, Any]]:
    """A tally of the requests due in each ten seconds, with the megabytes that were read last in it."""
    found: dict[int, list[Asked]] = {}
    for one in asked:
        found.setdefault(int(one.due // WINDOW), []).append(one)
    megabytes = {int(at // WINDOW): value for at, value in memory.items()}
    return [
        {"from_s": number * WINDOW, **tally(part), "resident_mb": megabytes.get(number)}
        for number, part in sorted(found.items())
    ]


def growth(memory: Mapping[float, float]) -> float:
    """Share by which the resident memory of the last minute exceeds that of the minute after SETTLED."""
    last = max(memory)
    settled = min(SETTLED, last * SLICE)
    span = min(END, (last - settled) / 2)
    before = [value for at, value in memory.items() if settled <= at <= settled + span] or [memory[min(memory)]]
    after = [value for at, value in memory.items() if at >= last - span]
    return mean(after) / mean(before) - 1


def failures(report: Mapping[str, Any]) -> list[str]:
    """What was asked for and not met."""
    total, store = report["total"], report["store"]
    checks = {
        "every request is answered": total["lost"] == 0,
        "no error but refusals": total["other_errors"] == 0,
        "every refusal has Retry-After": total["refused_without_retry_after"] == 0,
        "some are accepted": total["accepted"] > 0,
        "every accepted answer is in the store, and nothing else": store["missing"] == store["surplus"] == 0,
        f"p99 of accepted requests is below {P99:g} s": (total["p99_ms"] or 0) < 1_000 * P99,
        f"memory grows by less than {GROWTH:.0%}": report["memory_growth"] < GROWTH,
    }
    return [name for name, met in checks.items() if not met]

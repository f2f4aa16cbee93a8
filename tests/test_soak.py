"""The soak itself: a short one around the keyword scorer, and its arithmetic; `make soak` runs the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from soak_chart import chart
from soak_figures import Asked, failures, growth, tally, windows
from soak_service import Plan, capacity, soak

TESTS = Path(__file__).parent


def asked(due: float, seconds: float = 0.1, status: int = 200, wait: bool = False) -> Asked:
    return Asked(due, seconds, status, wait, ())


def test_a_short_soak_loses_nothing_and_finds_every_answer_in_the_store() -> None:
    report = soak(Plan(seconds=3, capacity_seconds=2, service="keyword_service:Yujing", root=TESTS))
    total, store = report["total"], report["store"]
    assert total["sent"] > total["accepted"] > 0 or total["sent"] == total["accepted"]
    assert (total["lost"], total["other_errors"], total["refused_without_retry_after"]) == (0, 0, 0)
    assert store["given"] == store["stored"] > 0
    assert (store["missing"], store["surplus"], store["repeated"], store["left_in_spool"]) == (0, 0, 0, 0)
    assert ElementTree.fromstring(chart(report["windows"])).tag.endswith("svg")


def test_requests_are_counted_by_what_became_of_them() -> None:
    seen = [asked(1), asked(2, 0.3), asked(3, status=503, wait=True), asked(4, status=503), asked(11, status=0)]
    found = tally(seen)
    assert (found["sent"], found["accepted"], found["refused_503"], found["lost"]) == (5, 2, 2, 1)
    assert (found["refused_without_retry_after"], found["p50_ms"], found["p99_ms"]) == (1, 300.0, 300.0)
    first, second = windows(seen, {0.0: 10.0, 9.0: 11.0, 12.0: 12.0})
    assert (first["sent"], first["resident_mb"], second["lost"], second["p50_ms"]) == (4, 11.0, 1, None)


def test_growth_compares_the_last_minute_with_the_third() -> None:
    flat = {10.0 * step: 500.0 if step < 12 else 1_000.0 for step in range(61)}
    assert growth(flat) == 0
    assert growth({at: value + (50 if at >= 540 else 0) for at, value in flat.items()}) == pytest.approx(0.05)


def test_capacity_leaves_the_warm_up_out() -> None:
    seen = [asked(0.1 * step, 0.05) for step in range(100)]
    assert capacity(seen, 10) == pytest.approx(10, rel=0.02)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("total", "lost", 1),
        ("total", "other_errors", 1),
        ("total", "refused_without_retry_after", 1),
        ("total", "p99_ms", 1_000.0),
        ("store", "missing", 1),
        ("store", "surplus", 1),
    ],
)
def test_what_is_not_met_is_named(where: str, name: str, value: float) -> None:
    good = {"lost": 0, "other_errors": 0, "refused_without_retry_after": 0, "accepted": 9, "p99_ms": 999.0}
    report: dict[str, Any] = {"total": good, "store": {"missing": 0, "surplus": 0}, "memory_growth": 0.049}
    assert failures(report) == []
    assert len(failures({**report, where: {**report[where], name: value}})) == 1
    assert len(failures({**report, "memory_growth": 0.05})) == 1

"""Every feature of a topic of thirty hours, by plain sums: what the vectorised function must say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import cos, exp, log, pi, sin
from statistics import pstdev

import numpy as np
import pytest

from data.records import Volume
from data.volume import count_features
from data.volume_windows import WIDTH, ZONE, windows_of

HOUR = 11  # at which the newest bin begins
USUAL = [(5 * hour % 24 + 1) / 300 for hour in range(24)]  # share of posts by hour of day: no two are alike
COUNTS = [3, 1, 0, 7, 12, 30, 55, 80, 64, 41, 22, 18, 9, 14, 27, 33, 80, 71, 52, 38, 44, 29, 17, 8, 20, 1, 0, 15, 25, 9]
AUTHORS = [count * (place % 7) / 7 if place % 3 else None for place, count in enumerate(COUNTS)]
NEGATIVE = [count * (place % 4) / 4 if place % 5 else None for place, count in enumerate(COUNTS)]
BACK = COUNTS[::-1]
EVEN = [BACK[i] / (24 * USUAL[(HOUR - i) % 24]) for i in range(24)]
AHEAD = sum(USUAL[(HOUR + i) % 24] for i in range(1, 7))
BEHIND = sum(USUAL[(HOUR - i) % 24] for i in range(6))


def level(posts: float) -> float:
    return log(posts + 0.5)


def growth(prefix: str, back: Sequence[float]) -> dict[str, float]:
    """`back`: newest hour first."""
    pairs = {"1h": (1, 1), "2h": (2, 2), "3h": (3, 3), "6h": (6, 6)}
    found = {f"growth_{name}": level(sum(back[:k])) - level(sum(back[k : k + j])) for name, (k, j) in pairs.items()}
    found["growth_1h_to_3h"] = level(back[0]) - level(sum(back[1:4]) / 3)
    found["share_1h"], found["share_3h"] = (sum(back[:k]) / (sum(back[:6]) + 0.5) for k in (1, 3))
    found["acceleration"] = found["growth_1h"] - (level(back[1]) - level(back[2]))
    found["acceleration_3h"] = found["growth_3h"] - (level(sum(back[3:6])) - level(sum(back[6:9])))
    return {prefix + name: value for name, value in found.items()}


def fading(values: Sequence[float], weights: list[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


def intensities() -> dict[str, float]:
    padded = [*BACK, *[0] * (WIDTH - len(BACK))]
    fast, middle, slow = (level(fading(padded, [exp(-i / h) for i in range(WIDTH)])) for h in (0.36, 1.44, 5.8))
    return {
        "intensity_0.36h": fast,
        "intensity_1.44h": middle,
        "intensity_5.8h": slow,
        "intensity_ratio": fast - slow,
        "intensity_ratio_slow": middle - slow,
    }


def shape() -> dict[str, float]:
    total, last = sum(COUNTS), COUNTS[-6:]
    steps = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]
    return {
        "drawdown": level(9) - level(80),
        "drawdown_3h": level(49 / 3) - level(80),
        "log_peak": level(80),
        "since_peak": 13,  # the later of two
        "recency": sum(last) / (total + 0.5),
        "recency_1h": 9 / (total + 0.5),
        "slope_6h": sum(step * level(count) for step, count in zip(steps, last, strict=True)) / 17.5,
        "spread_6h": pstdev(last) / (sum(last) / 6 + 0.5),
        "quiet_6h": 1,
        "peak_6h": level(25) - level(sum(last) / 6),
        "age": log(30),
    }


def needs() -> dict[str, float]:
    needed = log(1.5 * sum(BACK[:6]) * AHEAD / BEHIND)
    paces = {f"{k}h": sum(EVEN[:k]) / k for k in (1, 2, 3, 6)}
    paces["hyperbola"] = fading(EVEN, [1 / (1 + i) for i in range(24)])
    paces["fade_12h"] = fading(EVEN, [exp(-i / 12) for i in range(24)])
    paces["peak"] = max(EVEN)
    over = {f"needed_over_{name}": needed - level(pace * AHEAD * 24) for name, pace in paces.items()}
    return {"log_needed": needed, "log_rise": log(AHEAD / BEHIND), **over}


def restless() -> dict[str, float]:
    levels = [level(pace) for pace in EVEN]
    return {
        "even_spread_6h": pstdev(levels[:6]),
        "even_largest_rise": max(levels[i] - levels[i + 1] for i in range(6)),
        "even_drawdown": levels[0] - max(levels),
        "even_above_low": levels[0] - min(levels[:6]),
    }


def shares(name: str, part: list[float | None]) -> dict[str, float]:
    known = {k: [(p, c) for p, c in zip(part[-k:], COUNTS[-k:], strict=True) if p is not None] for k in (1, 6, 24)}
    return {f"{name}_share_{k}h": sum(p for p, _ in rows) / sum(c for _, c in rows) for k, rows in known.items()}


def test_every_feature_of_thirty_hours_by_hand() -> None:
    volume = Volume(
        as_of=datetime(2024, 5, 1, HOUR + 1, tzinfo=ZONE),
        counts=tuple(map(float, COUNTS)),
        authors=tuple(AUTHORS),
        negative=tuple(NEGATIVE),
    )
    found = {name: float(values[0]) for name, values in count_features(windows_of([volume]), np.array(USUAL)).items()}
    expected = {
        **{f"log_{k}h": level(sum(BACK[:k])) for k in (1, 2, 3, 6, 12, 24)},
        "log_total": level(sum(COUNTS)),
        **growth("", BACK),
        **intensities(),
        **shape(),
        "hour": HOUR,
        "hour_sin": sin(2 * pi * HOUR / 24),
        "hour_cos": cos(2 * pi * HOUR / 24),
        **needs(),
        **growth("even_", EVEN),
        **restless(),
        **shares("author", AUTHORS),
        **shares("negative", NEGATIVE),
    }
    assert found == pytest.approx(expected)

"""Every feature of one hot-search topic, by plain sums over its appearances: what the vectorised function must say."""

from __future__ import annotations

from datetime import datetime
from math import cos, exp, log, log1p, pi, sin

import pytest

from data.hotlist import ARRAYS, hot_windows_of
from data.hotlist_features import hot_features
from data.records import Volume
from data.volume_windows import ZONE

LINE = 900.0
SEEN = {  # hours back -> heat, place, reads, discussions, originals
    20: (5_000.0, 1.0, 9e6, 9e4, 900.0),  # of another episode
    9: (100.0, 44.0, 1_000.0, 50.0, 4.0),
    8: (150.0, 30.0, 3_000.0, 90.0, 7.0),
    7: (260.0, 12.0, 9_000.0, 300.0, 9.0),
    5: (840.0, 3.0, 40_000.0, 700.0, 40.0),
    2: (520.0, 9.0, 70_000.0, 1_500.0, 41.0),
    0: (610.0, 7.0, 95_000.0, 1_900.0, 60.0),
}
EPISODE = [back for back in SEEN if back < 20]
NOW, PREVIOUS, EARLIER, FIRST = 0, 2, 5, 9  # hours back


def ratio(back: int) -> float:
    """log(heat / line) of the last appearance up to so many hours back."""
    return log(SEEN[min(seen for seen in EPISODE if seen >= back)][0] / LINE)


def motion() -> dict[str, float]:
    step, before = (ratio(NOW) - ratio(PREVIOUS)) / 2, (ratio(PREVIOUS) - ratio(EARLIER)) / 3
    rise = (610 - 520) / LINE / 2
    return {
        "ratio": ratio(NOW),
        "ratio_previous": ratio(PREVIOUS),
        "ratio_first": ratio(FIRST),
        "step": step,
        "step_before": before,
        "acceleration": step - before,
        "growth_life": (ratio(NOW) - ratio(FIRST)) / 9,
        "growth_2h": log(610 / 520),
        "growth_3h": log(610 / 840),  # not seen 3 hours back: what stood there two hours before
        "growth_6h": log(610 / 260),
        "linear_1h": log(610 / LINE + rise),
        "linear_6h": log(610 / LINE + 6 * rise),
        "exponential_3h": ratio(NOW) + 3 * step,
        "unseen_hours": 2,
    }


def life() -> dict[str, float]:
    back = range(FIRST + 1)
    fast, slow = (
        log(sum(exp(ratio(b) - b / hours) for b in back) / sum(exp(-b / hours) for b in back)) for hours in (1.5, 6)
    )
    return {
        "peak": log(840 / LINE),
        "drawdown": log(610 / 840),
        "since_peak": 5,
        "age": 9,
        "n_obs": 6,
        "intensity_1.5h": fast,
        "intensity_6h": slow,
        "intensity_ratio": fast - slow,
        "ratio_over_intensity": ratio(NOW) - slow,
    }


def attention(name: str) -> dict[str, float]:
    now, last, earlier, first = (SEEN[back][ARRAYS.index(name)] for back in (NOW, PREVIOUS, EARLIER, FIRST))
    gain, before = log1p((now - last) / 2), log1p((last - earlier) / 3)
    return {
        f"{name}_log": log1p(now),
        f"{name}_gain": gain,
        f"{name}_gain_growth": gain - before,
        f"{name}_rise": log1p(now) - log1p(last),
        f"{name}_gain_life": log1p((now - first) / 9),
    }


def test_every_feature_of_six_appearances_by_hand() -> None:
    arrays = {name: tuple(SEEN[back][i] if back in SEEN else None for back in range(20, -1, -1))
              for i, name in enumerate(ARRAYS)}  # fmt: skip
    volume = Volume(as_of=datetime(2024, 5, 4, 21, 45, tzinfo=ZONE), alarm_threshold=LINE, **arrays)
    talk = {**attention("reads"), **attention("discussions"), **attention("originals")}
    expected = {
        **motion(),
        **life(),
        **talk,
        "rank": 7,
        "rank_step": (7 - 9) / 2,
        "rank_growth_3h": 7 - 3,
        "rank_first": 44,
        "rank_best": 3,
        "mix_discussions_reads": talk["discussions_log"] - talk["reads_log"],
        "mix_originals_discussions": talk["originals_log"] - talk["discussions_log"],
        "mix_heat_reads": log(610) - talk["reads_log"],
        "mix_heat_gain": log(610) - talk["reads_gain"],
        "mix_discussions_reads_gain": talk["discussions_gain"] - talk["reads_gain"],
        "mix_originals_discussions_gain": talk["originals_gain"] - talk["discussions_gain"],
        "hour": 21.75,
        "hour_sin": sin(2 * pi * 21.75 / 24),
        "hour_cos": cos(2 * pi * 21.75 / 24),
        "weekday": 5,
        "away": 0,
    }
    found = {name: float(values[0]) for name, values in hot_features(hot_windows_of([volume])).items()}
    assert found == pytest.approx(expected)

"""Laws of the hot-list features: they read the present episode only, and null is not zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.hotlist import EPISODE_GAP, WIDTH, hot_windows_of
from data.hotlist_features import hot_features
from data.records import MAX_POINTS, Volume
from data.volume_windows import ZONE

NOON = datetime(2024, 5, 1, 12, 30, tzinfo=ZONE)  # a Wednesday
amounts = st.one_of(st.none(), st.integers(0, 3_000_000).map(float))
Values = Sequence[float | None]


def _volume(heat: Values, as_of: datetime = NOON, line: float = 1_000.0, **more: object) -> Volume:
    parts = {name: tuple(v) if isinstance(v, list) else v for name, v in more.items()}
    return Volume(as_of=as_of, heat=tuple(heat), alarm_threshold=line, **parts)  # type: ignore[arg-type]


def _one(volume: Volume) -> dict[str, float]:
    return {name: float(values[0]) for name, values in hot_features(hot_windows_of([volume])).items()}


volumes = st.builds(
    lambda rows, minutes, line, hour: _volume(
        [row[0] for row in rows],
        NOON + timedelta(hours=hour),
        line,
        interval_minutes=minutes,
        rank=[row[1] for row in rows],
        reads=[row[2] for row in rows],
        originals=[row[0] for row in rows],
    ),
    st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=80),
    st.sampled_from([20, 60, 120]),
    st.sampled_from([0.0, 1.0, 400_000.0]),
    st.integers(0, 23),
)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0])
def test_heat_is_read_against_the_line_on_any_scale(scale: float) -> None:
    """An index from 0 to 1 too: heats below 1 were read as 1, so that 0.3 stood above a line of 0.8."""
    found = _one(_volume([0.3 * scale, 0.6 * scale], line=0.8 * scale))
    assert (found["ratio_previous"], found["ratio"]) == pytest.approx((log(0.3 / 0.8), log(0.6 / 0.8)))
    assert found["step"] == pytest.approx(log(2))


def test_golden_example() -> None:
    found = _one(
        _volume([100, None, 200, 400], rank=[40, None, 30, 10], reads=[1_000, None, 3_000, 9_000], discussions=[1] * 4)
    )
    expected = {
        "ratio": log(0.4),
        "ratio_previous": log(0.2),
        "ratio_first": log(0.1),
        "step": log(2),
        "step_before": log(2) / 2,
        "acceleration": log(2) / 2,
        "growth_life": log(4) / 3,
        "growth_2h": log(4),  # the hour that is missing holds the value before
        "growth_3h": log(4),
        "linear_1h": log(0.6),
        "linear_6h": log(0.4 + 6 * 0.2),
        "exponential_3h": log(0.4 * 8),
        "unseen_hours": 1,
        "peak": log(0.4),
        "drawdown": 0,
        "since_peak": 0,
        "age": 3,
        "n_obs": 3,
        "rank": 10,
        "rank_step": -20,
        "rank_first": 40,
        "rank_best": 10,
        "reads_log": log(9_001),
        "reads_gain": log(6_001),
        "reads_gain_growth": log(6_001 / 1_001),
        "reads_gain_life": log(1 + 8_000 / 3),
        "discussions_gain": 0,
        "mix_heat_reads": log(400) - log(9_001),
        "hour": 12.5,
        "weekday": 2,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert np.isnan([found["growth_6h"], found["originals_log"], found["mix_originals_discussions"]]).all()


@given(st.lists(amounts, min_size=1, max_size=60), st.lists(amounts, min_size=1, max_size=60))
def test_another_episode_is_not_read(before: list[float | None], now: list[float | None]) -> None:
    now = [500.0, *now]
    assert _one(_volume([*before, 900.0, *[None] * EPISODE_GAP, *now])) == pytest.approx(
        _one(_volume(now)), nan_ok=True
    )


def test_a_gap_of_six_hours_is_still_the_same_episode() -> None:
    apart = [[900.0, *[None] * unseen, 500.0] for unseen in (EPISODE_GAP - 1, EPISODE_GAP)]
    assert [_one(_volume(heat))["n_obs"] for heat in apart] == [2, 1]


@given(st.lists(volumes, min_size=1, max_size=5))
def test_a_topic_is_read_without_its_neighbours(many: list[Volume]) -> None:
    together = hot_features(hot_windows_of(many))
    for i, volume in enumerate(many):
        for name, value in _one(volume).items():
            np.testing.assert_array_equal(together[name][i], value, err_msg=name)


def test_a_topic_is_read_alike_alone_and_in_company_to_the_last_bit() -> None:
    random = np.random.default_rng(0)
    many = [_volume(random.integers(1, 3_000, length).tolist()) for length in random.integers(2, 80, 60)]
    together = hot_features(hot_windows_of(many))
    for i, volume in enumerate(many):
        for name, value in _one(volume).items():
            np.testing.assert_array_equal(together[name][i], value, err_msg=name)


@settings(max_examples=200)
@given(volumes)
def test_nulls_and_zeros_anywhere_warn_nobody_and_give_no_infinity(volume: Volume) -> None:
    assert not np.isinf(list(_one(volume).values())).any()


@pytest.mark.parametrize("heat", [1e308, 1e-300])
@pytest.mark.parametrize("line", [1e308, 1e-300])
def test_absurd_numbers_overflow_nothing(heat: float, line: float) -> None:
    assert not np.isinf(list(_one(_volume([heat, 5.0, heat], line=line, reads=[0, heat, heat])).values())).any()


@given(st.integers(2, 1_000), st.lists(st.integers(1_000, 9_000).map(float), min_size=1, max_size=12))
def test_the_level_of_the_list_does_not_matter(factor: int, heat: list[float]) -> None:
    small, large = _one(_volume(heat)), _one(_volume([h * factor for h in heat], line=1_000.0 * factor))
    for name in ("ratio", "step", "linear_6h", "intensity_6h", "drawdown", "growth_life"):
        assert large[name] == pytest.approx(small[name], nan_ok=True)


def test_heat_zero_is_no_appearance() -> None:
    assert _one(_volume([0.0, 0.0, 300.0])) == pytest.approx(_one(_volume([300.0])), nan_ok=True)


def test_finer_bins_hold_the_last_value_of_each_hour() -> None:
    finer = _volume([1.0, 100.0, None, 200.0, 300.0, None], interval_minutes=30)
    assert _one(finer) == pytest.approx(_one(_volume([100.0, 200.0, 300.0])), nan_ok=True)


def test_only_the_last_hours_are_read_and_the_clock_is_that_of_shanghai() -> None:
    heat = [float(i + 1) for i in range(MAX_POINTS)]
    assert _one(_volume(heat)) == pytest.approx(_one(_volume(heat[-WIDTH:])), nan_ok=True)
    assert _one(_volume([5.0], NOON.astimezone(UTC))) == pytest.approx(_one(_volume([5.0])), nan_ok=True)

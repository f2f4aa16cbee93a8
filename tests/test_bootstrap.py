"""Laws of the bootstrap: intervals cover, groups are drawn whole, the same seed gives the same interval."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.bootstrap import Interval, Resampler, interval, intervals


def _mean(x: np.ndarray) -> float:
    return float(x.mean())


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40).map(np.array), st.integers(0, 9))
def test_a_draw_holds_as_many_groups_each_whole(groups: np.ndarray, seed: int) -> None:
    rows = Resampler(groups).draw(np.random.default_rng(seed))
    times = np.bincount(rows, minlength=len(groups))
    drawn = 0
    for group in np.unique(groups):
        copies = set(times[groups == group])
        assert len(copies) == 1  # every row of a group as often as the others
        drawn += copies.pop()
    assert drawn == len(np.unique(groups))


def test_intervals_cover_at_their_level() -> None:
    random = np.random.default_rng(0)
    runs = [interval(_mean, random.normal(3, 1, 60), n=200, seed=i) for i in range(100)]
    covered = sum(found.low <= 3 <= found.high for found in runs)
    assert 88 <= covered <= 100
    assert all(found.low < found.value < found.high for found in runs)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_an_interval_is_the_middle_of_its_draws(level: float) -> None:
    values, groups = np.random.default_rng(6).gamma(1, size=30), np.arange(30) // 2
    random, resampler = np.random.default_rng(7), Resampler(groups)
    draws = sorted(float(values[resampler.draw(random)].mean()) for _ in range(401))
    outside = round(400 * (1 - level) / 2)  # draws on each side
    found = interval(_mean, values, groups=groups, n=401, seed=7, level=level)
    assert found == Interval(values.mean(), *(pytest.approx(draws[i]) for i in (outside, 400 - outside)))


def test_repeating_rows_inside_their_group_adds_no_certainty() -> None:
    values, groups = np.random.default_rng(1).normal(size=50), np.arange(50)
    once = interval(_mean, values, groups=groups, n=300)
    repeated = interval(_mean, np.repeat(values, 9), groups=np.repeat(groups, 9), n=300)
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high))
    naive = interval(_mean, np.repeat(values, 9), n=300)
    assert naive.high - naive.low < 0.5 * (once.high - once.low)


@settings(max_examples=10)
@given(st.permutations(range(30)))
def test_names_of_groups_and_order_of_rows_do_not_matter_to_the_value(order: list[int]) -> None:
    values = np.arange(30.0)
    groups = np.array([f"话题{i // 3}" for i in range(30)])
    plain = interval(_mean, values, groups=groups, n=50)
    moved = interval(_mean, values[order], groups=groups[order], n=50)
    assert (moved.value, moved.low, moved.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_a_seed_is_an_interval() -> None:
    values = np.random.default_rng(2).normal(size=40)
    assert interval(_mean, values, n=50, seed=3) == interval(_mean, values, n=50, seed=3)
    assert interval(_mean, values, n=50, seed=3) != interval(_mean, values, n=50, seed=4)


def test_a_higher_level_is_wider() -> None:
    values = np.random.default_rng(3).normal(size=40)
    narrow, wide = (interval(_mean, values, level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_all_arrays_are_drawn_alike() -> None:
    values = np.random.default_rng(4).normal(size=40)
    found = interval(lambda x, y: float(np.abs(x - y).max()), values, values.copy(), n=50)
    assert found == Interval(0.0, 0.0, 0.0)


def test_draws_without_a_value_are_left_out() -> None:
    values = np.array([1.0, *[np.nan] * 3])
    some = interval(lambda x: float(x[0]), values, n=100)
    assert (some.low, some.high) == (1.0, 1.0)
    none = interval(_mean, np.full(5, np.nan), n=20)
    assert all(map(isnan, (none.value, none.low, none.high)))


def test_one_group_has_no_spread() -> None:
    found = interval(_mean, np.array([1.0, 2.0, 3.0]), groups=np.zeros(3), n=20)
    assert found == Interval(2.0, 2.0, 2.0)
    assert str(found) == "2.000 [2.000, 2.000]"


def test_figures_measured_at_once_are_those_measured_alone() -> None:
    values, groups = np.random.default_rng(2).normal(size=60), np.arange(60) // 3

    def both(x: np.ndarray) -> np.ndarray:
        return np.array([x.mean(), x.std(), np.nan])

    mean, deviation, nothing = intervals(both, values, groups=groups, n=50)
    assert mean == interval(_mean, values, groups=groups, n=50)
    assert deviation == interval(lambda x: float(x.std()), values, groups=groups, n=50)
    assert all(isnan(x) for x in nothing.rounded)
    assert mean.rounded == [round(mean.value, 4), round(mean.low, 4), round(mean.high, 4)]

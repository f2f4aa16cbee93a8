"""Laws of the features: they read the past only, mean the same in training and serving, and null is never zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.records import MAX_POINTS, Series, Volume
from data.volume import count_features
from data.volume_pace import rise
from data.volume_windows import ZONE, filled, to_hours, windows_of
from training.decisions import decide_on, topics_of

FLAT = np.full(24, 1 / 24)
CLOCK = np.arange(1, 25) / 300
NOON = datetime(2024, 5, 1, 12, tzinfo=ZONE)

amounts = st.integers(0, 500).map(float)
some = st.one_of(amounts, amounts, amounts, st.none())
Values = tuple[float | None, ...]


def _volume(counts: Sequence[float | None], as_of: datetime = NOON, **more: object) -> Volume:
    return Volume(as_of=as_of, counts=tuple(counts), **more)  # type: ignore[arg-type]


def _features(*volumes: Volume, diurnal: np.ndarray = CLOCK) -> dict[str, np.ndarray]:
    return dict(count_features(windows_of(volumes), diurnal))


def _one(volume: Volume, diurnal: np.ndarray = CLOCK) -> dict[str, float]:
    return {name: float(values[0]) for name, values in _features(volume, diurnal=diurnal).items()}


def _series(counts: Values, minutes: int = 60, start: datetime = NOON, **parts: Values | None) -> Series:
    return Series(topic_id="t", start=start, interval_minutes=minutes, counts=counts, **parts)


def _at(series: Series, age: int) -> dict[str, float]:
    """Features of the decision at one age, by the training path."""
    decisions = decide_on(topics_of([series]))
    window = decisions.windows.take(decisions.windows.length == age)
    return {name: float(value[0]) for name, value in count_features(window, CLOCK).items()}


# Scale and clock, by hand


def test_golden_example() -> None:
    found = _one(_volume([2, 4, 8, 16, 32, 64]), FLAT)
    expected = {
        "log_1h": log(64.5),
        "log_2h": log(96.5),
        "log_3h": log(112.5),
        "log_6h": log(126.5),
        "log_24h": log(126.5),
        "log_total": log(126.5),
        "growth_1h": log(64.5 / 32.5),
        "growth_1h_to_3h": log(64.5 / (56 / 3 + 0.5)),
        "growth_2h": log(96.5 / 24.5),
        "growth_3h": log(112.5 / 14.5),
        "growth_6h": log(126.5 / 0.5),
        "share_1h": 64 / 126.5,
        "acceleration": log(64.5 / 32.5) - log(32.5 / 16.5),
        "drawdown": 0,
        "since_peak": 0,
        "quiet_6h": 0,
        "recency": 126 / 126.5,
        "age": log(6),
        "hour": 11,
        "hour_sin": np.sin(2 * np.pi * 11 / 24),
        "log_rise": 0,
        "log_needed": log(1.5 * 126),
        "needed_over_1h": log(1.5 * 126) - log(6 * 64 + 0.5),
        "needed_over_6h": log(1.5 * 126) - log(126.5),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_the_clock_is_that_of_shanghai_and_of_the_newest_bin() -> None:
    assert _one(_volume([1], NOON.astimezone(UTC)))["hour"] == 11
    assert _one(_volume([1], datetime(2024, 5, 1, 16, 30, tzinfo=UTC)))["hour"] == 23
    assert _one(_volume([1], datetime(2024, 5, 1, 16, 0, tzinfo=UTC)))["hour"] == 23


@pytest.mark.parametrize("second", ["14:59:00", "14:59:59", "14:59:59.999999", "15:00:00", "15:58:59"])
def test_an_end_that_is_written_as_the_last_second_is_that_of_the_full_hour(second: str) -> None:
    """An hour earlier, as it was read, the shipped head gave up to 21 times the likelihood on recorded topics."""
    full = _one(_volume([3, 8, 5], datetime.fromisoformat("2026-03-15T15:00+08:00")))
    found = _one(_volume([3, 8, 5], datetime.fromisoformat(f"2026-03-15T{second}+08:00")))
    assert found == pytest.approx(full, nan_ok=True)


def test_rise_by_hand() -> None:
    # newest bin starts at 11: hours 12-17 hold (13 + … + 18)/300, hours 6-11 hold (7 + … + 12)/300
    assert rise(np.array([11]), CLOCK)[0] == pytest.approx(93 / 57)
    assert rise(np.array([23]), CLOCK)[0] == pytest.approx(21 / 129)  # over midnight
    needed = exp(_one(_volume([10] * 6))["log_needed"])
    assert needed == pytest.approx(1.5 * 60 * 93 / 57)
    assert exp(_one(_volume([1] * 6))["log_needed"]) == pytest.approx(20)  # the floor


def test_a_topic_that_follows_the_clock_does_not_grow() -> None:
    counts = [300 * CLOCK[(NOON.hour - 24 + i) % 24] * 100 for i in range(24)]
    found = _one(_volume(counts))
    for name, value in found.items():
        if name.startswith("even_growth_") and "6h" not in name:
            assert value == pytest.approx(0, abs=1e-3)
    assert found["growth_3h"] > 0.1


@given(st.lists(amounts, min_size=12, max_size=48), st.integers(2, 50))
def test_ratios_ignore_the_size_of_a_topic_and_levels_do_not(counts: list[float], factor: int) -> None:
    counts = [count + 50 for count in counts]
    small, large = _one(_volume(counts)), _one(_volume([count * factor for count in counts]))
    for name in ("growth_1h", "growth_3h", "growth_6h", "share_3h", "even_growth_3h", "drawdown", "spread_6h"):
        assert large[name] == pytest.approx(small[name], abs=0.03)
    for name in ("log_1h", "log_6h", "log_total", "log_peak", "intensity_1.44h"):
        assert large[name] - small[name] == pytest.approx(log(factor), abs=0.02)


@given(st.lists(st.integers(0, 250).map(lambda x: 2.0 * x), min_size=1, max_size=48))
def test_half_hours_are_hours(counts: list[float]) -> None:
    halves = [count / 2 for count in counts for _ in range(2)]
    assert np.allclose(to_hours(halves, 30), counts)
    hourly, finer = _one(_volume(counts)), _one(_volume(halves, interval_minutes=30))
    assert finer == pytest.approx(hourly, nan_ok=True)


# The past only


@settings(max_examples=40)
@given(
    st.lists(amounts, min_size=14, max_size=40),
    st.lists(some, max_size=20),
    st.sampled_from([60, 30, 20]),
    st.integers(1, 12),
    st.sets(st.integers(0, 40), max_size=3),
)
def test_the_future_changes_no_feature(
    counts: list[float], other: list[float | None], minutes: int, age: int, holes: set[int]
) -> None:
    per_hour = 60 // minutes
    past = [None if i in holes else 20 + count for i, count in enumerate(counts)][: age * per_hour]
    assume(len(past) == age * per_hour and None not in past[-6 * per_hour :])
    later = [[9.0] * 6 * per_hour, [7.0] * 6 * per_hour + other, [500.0] * 7 * per_hour + [None, 1.0]]
    served = _one(_volume(past, NOON + timedelta(hours=age), interval_minutes=minutes))
    for future in later:
        assert _at(_series((*past, *future), minutes), age) == pytest.approx(served, nan_ok=True)


@settings(max_examples=40)
@given(st.lists(st.tuples(amounts, amounts, some), min_size=10, max_size=60), st.sampled_from([0, 17, 30, 59]))
def test_serving_sees_what_training_saw(rows: list[tuple[float, float, float | None]], minute: int) -> None:
    counts, authors, negative = zip(*[(20.0, 9.0, 3.0), *rows], strict=True)
    start = NOON + timedelta(minutes=minute)
    series = _series(counts, start=start, authors=authors, negative=negative)
    decisions = decide_on(topics_of([series]))
    trained = count_features(decisions.windows, CLOCK)
    ages = decisions.windows.length.tolist()
    served = windows_of(
        [
            _volume(counts[:age], start + timedelta(hours=age), authors=authors[:age], negative=negative[:age])
            for age in ages
        ]
    )
    assert served.hour.tolist() == decisions.windows.hour.tolist()
    assert served.length.tolist() == ages
    for name, values in count_features(served, CLOCK).items():
        np.testing.assert_array_equal(values, trained[name], err_msg=name)


@pytest.mark.parametrize("bins", [34, 35])
def test_half_hour_series_see_the_same_in_training_and_serving_whatever_their_length(bins: int) -> None:
    counts = tuple(float(5 + (i * 7) % 13) for i in range(bins))
    served = _one(_volume(counts[:16], NOON + timedelta(hours=8), interval_minutes=30))
    assert _at(_series(counts, 30), 8) == pytest.approx(served, nan_ok=True)


@given(st.lists(st.lists(some, min_size=1, max_size=40), min_size=1, max_size=4))
def test_a_topic_is_read_without_its_neighbours(topics: list[list[float | None]]) -> None:
    volumes = [_volume(counts, NOON + timedelta(hours=i)) for i, counts in enumerate(topics)]
    together = _features(*volumes)
    for i, volume in enumerate(volumes):
        for name, value in _one(volume).items():
            np.testing.assert_array_equal(together[name][i], value, err_msg=name)


def test_a_topic_is_read_alike_alone_and_in_company_to_the_last_bit() -> None:
    random = np.random.default_rng(0)
    volumes = [_volume(random.integers(0, 500, length).tolist()) for length in random.integers(6, 169, 60)]
    together = _features(*volumes)
    for i, volume in enumerate(volumes):
        for name, value in _one(volume).items():
            np.testing.assert_array_equal(together[name][i], value, err_msg=name)


# Null


@settings(max_examples=200)
@given(st.lists(st.one_of(amounts, st.none()), min_size=1, max_size=30), st.sampled_from([30, 60, 120]))
def test_nulls_anywhere_warn_nobody_and_give_no_infinity(counts: list[float | None], minutes: int) -> None:
    parts = {"authors": tuple(counts), "negative": tuple(counts)}
    for values in _features(_volume(counts, interval_minutes=minutes, **parts)).values():
        assert not np.isinf(values).any()


@pytest.mark.parametrize("length", [6, 24, MAX_POINTS])
def test_nothing_known_is_no_level_and_no_movement(length: int) -> None:
    found = _one(_volume([None] * length))
    for name in ("log_1h", "log_6h", "growth_1h", "intensity_1.44h", "log_peak", "even_growth_3h", "spread_6h"):
        assert np.isnan(found[name]), name
    assert found["age"] == pytest.approx(log(length))


def test_a_missing_hour_is_not_a_quiet_hour() -> None:
    quiet, missing, full = (_one(_volume([30] * 11 + [last]), FLAT) for last in (0, None, 30))
    assert (quiet["quiet_6h"], missing["quiet_6h"]) == (1, 0)
    assert np.isnan(missing["log_1h"])
    for name in ("log_6h", "log_12h", "intensity_0.36h", "even_growth_3h", "needed_over_1h", "drawdown_3h"):
        assert missing[name] == pytest.approx(full[name])
        assert quiet[name] != pytest.approx(full[name])


def test_half_of_the_hours_stand_for_all_and_less_for_none() -> None:
    found = _one(_volume([40, 30, None, 10, None, None]))
    assert np.isnan(found["log_2h"])
    assert np.isnan(found["log_3h"])
    assert found["log_6h"] == pytest.approx(log(40 + 30 + 20 + 10 + 10 + 10 + 0.5))
    assert _one(_volume([7, None]))["log_2h"] == pytest.approx(log(2 * 7 + 0.5))


@settings(max_examples=60)
@given(st.lists(some, min_size=1, max_size=40))
def test_a_missing_hour_lies_between_the_known_hours_around_it(counts: list[float | None]) -> None:
    full = filled(windows_of([_volume(counts)]))[0, -len(counts) :].tolist()
    known = [i for i, count in enumerate(counts) if count is not None]
    for i, value in enumerate(full if known else ()):
        before, after = [k for k in known if k <= i] or known[:1], [k for k in known if k >= i] or known[-1:]
        low, high = sorted((counts[before[-1]] or 0, counts[after[0]] or 0))
        assert low - 1e-9 <= value <= high + 1e-9


@pytest.mark.parametrize("step", [7.0, 0.0, -7.0])
@pytest.mark.parametrize("holes", [{-2}, {-3, -4}, {-2, -5, -9, -10, -11}])
def test_a_gap_in_a_topic_that_moves_steadily_changes_nothing(step: float, holes: set[int]) -> None:
    counts = [500 + step * hour for hour in range(30)]
    gaps = [None if i - len(counts) in holes else count for i, count in enumerate(counts)]
    whole, found = _one(_volume(counts)), _one(_volume(gaps))
    assert found == pytest.approx(whole, nan_ok=True)


def test_an_unknown_hour_is_no_burst_of_a_topic_that_fades() -> None:
    """With the mean of all known hours in its place, the shipped head found it 4 times as likely to escalate."""
    fading = [round(400 * 0.7**hour) for hour in range(16)]
    for newest in ([None], [None, None]):
        found, now = _one(_volume([*fading, *newest])), _one(_volume(fading))
        assert found["intensity_ratio"] < now["intensity_ratio"] + 0.5 < 0
        assert found["even_growth_3h"] < 0
        assert found["since_peak"] == len(fading) + len(newest) - 1


def test_shares_are_taken_where_both_are_known() -> None:
    absent = _one(_volume([10, 10, 10]))
    given_ = _one(_volume([10, 10, 10], authors=(8, 8, 2)))
    partly = _one(_volume([10, 10, 10], authors=(8, 8, None), negative=(None, None, None)))
    zero = _one(_volume([10, 10, 10], authors=(0, 0, 0)))
    assert np.isnan([absent["author_share_6h"], absent["negative_share_6h"], partly["negative_share_6h"]]).all()
    assert given_["author_share_6h"] == pytest.approx(0.6)
    assert given_["author_share_1h"] == pytest.approx(0.2)
    assert partly["author_share_6h"] == pytest.approx(0.8)
    assert np.isnan(partly["author_share_1h"])
    assert zero["author_share_6h"] == 0

"""Laws of the escalation answer: complete for any volume, the same alone and in company, honest about its domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from self_exciting import HOURS, START, model, topic, trained
from sklearn.linear_model import LogisticRegression

from data.records import MAX_POINTS, Volume
from data.results import EscalationResult
from data.volume import count_features
from data.volume_windows import windows_of
from models.escalation import MAX_AGE, OPTIONAL, SCALED, EscalationModel
from models.escalation_head import COLD, MAX_FACTORS, design, log_odds
from models.escalation_words import GROUPS

MODEL = model()
NOON = START + timedelta(hours=12)
KNOWN = topic(7)

values = st.one_of(st.none(), st.integers(0, 5_000).map(float))


def _volume(counts: Sequence[float | None], **more: object) -> Volume:
    return Volume(**({"as_of": NOON, "counts": tuple(counts)} | more))  # type: ignore[arg-type]


def _whole(number: int, age: int) -> Volume:
    """The first hours of a synthetic topic, with everything that training had."""
    series = topic(number)
    parts = {name: getattr(series, name)[:age] for name in ("counts", "authors", "negative")}
    return Volume(as_of=series.start + timedelta(hours=age), **parts)


def _answer(volume: Volume, by: EscalationModel = MODEL) -> EscalationResult:
    return by.predict([volume])[0]


volumes = st.builds(
    lambda counts, minutes, hour: _volume(counts, interval_minutes=minutes, as_of=NOON + timedelta(hours=hour)),
    st.lists(values, min_size=1, max_size=40),
    st.sampled_from([10, 30, 60, 120]),
    st.integers(0, 23),
)


@settings(max_examples=40, deadline=None)
@given(volumes)
def test_every_volume_has_a_complete_answer(volume: Volume) -> None:
    found = _answer(volume)
    counts = volume.counts or ()
    assert 0 < found.probability < 1
    assert found.lift == pytest.approx(found.probability / found.base_rate, abs=0.02)
    assert (found.head, found.horizon_hours) == ("counts", 6)
    bins = sum(count is not None for count in counts)
    assert found.n_obs == bins if volume.interval_minutes >= 60 else found.n_obs <= bins
    assert ("counts" in found.missing) == (None in counts or any("未计入" in told for told in found.warnings))
    assert len(found.factors) <= MAX_FACTORS
    assert all(factor.name in GROUPS and factor.text and "nan" not in factor.text for factor in found.factors)
    sizes = [abs(factor.effect) for factor in found.factors]
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=15, deadline=None)
@given(st.lists(volumes, min_size=2, max_size=6))
def test_a_batch_answers_as_one_by_one_and_in_order(many: list[Volume]) -> None:
    assert MODEL.predict(many) == [_answer(volume) for volume in many]
    assert MODEL.predict(many[::-1]) == MODEL.predict(many)[::-1]


def test_training_rows_get_the_same_likelihood_through_the_serving_path() -> None:
    _, decisions, _, table = trained()
    rows = list(range(0, len(decisions.topic), 500))
    served = [_whole(int(decisions.topic[row]), int(decisions.windows.length[row])) for row in rows]
    features = design(count_features(windows_of(served), MODEL.diurnal), MODEL.names)
    np.testing.assert_array_equal(features, table.features[rows])
    inside = MODEL.in_domain(decisions.windows, table.features)[rows]
    expected = MODEL.probabilities(table.features[rows], inside)
    assert [answer.probability for answer in MODEL.predict(served)] == pytest.approx(expected, abs=1e-4)
    assert [answer.in_domain for answer in MODEL.predict(served)] == inside.tolist()


@pytest.mark.parametrize("counts", [[None], [None] * MAX_POINTS, [0.0], [5.0], [None, 8.0], [30.0, None], [1e6]])
def test_one_or_two_observations_or_none_are_answered(counts: list[float | None]) -> None:
    found = _answer(_volume(counts))
    assert not found.in_domain
    assert 0 < found.probability < 1


@pytest.mark.parametrize(("minutes", "read"), [(1_440, 7), (360, 28), (90, 112), (60, MAX_POINTS)])
def test_observations_are_those_that_the_window_holds(minutes: int, read: int) -> None:
    """A week: 168 days are not 168 observations, and what is unknown before that week is not missing."""
    found = _answer(_volume([None] * (MAX_POINTS - read) + [100.0] * read, interval_minutes=minutes))
    assert found.n_obs == read
    assert "counts" not in found.missing
    assert any(f"每个时段长{minutes}分钟" in one for one in found.warnings) == (minutes > 60)


@pytest.mark.parametrize(
    ("authors", "told"),
    [((9.0, 3.0), ()), ((9.0, 4.0), ("authors有时段大于counts，独立作者占比不可信",)), ((None, 3.0), ())],
)
def test_more_authors_than_posts_are_told(authors: tuple[float | None, ...], told: tuple[str, ...]) -> None:
    found = _answer(_volume([9.0, None, 9.0, 3.0], authors=(1.0, 5.0, *authors)))
    assert tuple(one for one in found.warnings if "authors" in one) == told


@pytest.mark.parametrize(
    ("counts", "told"),
    [([9.0, None, 9.0], ()), ([9.0, 9.0, None, None], ("最近2小时没有发帖数据，结果按此前的情况估算",))],
)
def test_newest_hours_that_are_unknown_are_told(counts: list[float | None], told: tuple[str, ...]) -> None:
    assert [one for one in _answer(_volume(counts)).warnings if "最近" in one] == [*told]


@pytest.mark.parametrize(
    ("counts", "minutes"), [([500.0, *[None] * 3], 15), ([9.0, *[None] * 9], 1_440), ([None] * 6, 60)]
)
def test_where_nothing_is_read_nothing_is_estimated(counts: list[float | None], minutes: int) -> None:
    told = _answer(_volume(counts, interval_minutes=minutes)).warnings
    assert "没有可用的观测" in told[0]
    assert not any("按此前的情况估算" in one for one in told)


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_lies_before_the_window_is_neither_known_nor_told(name: str) -> None:
    """A week of days: what was given before it, such as authors in surplus, concerns no answer."""
    counts, old, week = [100.0] * 20, (900.0,) * 13, 7
    parts = {other: (1.0,) * 20 for other in OPTIONAL if other != name}
    unread = _answer(_volume(counts, interval_minutes=1_440, **parts, **{name: (*old, *[None] * week)}))
    assert unread.missing == (name,)
    read = _answer(_volume(counts, interval_minutes=1_440, **parts, **{name: (*old, *[50.0] * week)}))
    assert read.missing == ()
    assert unread.warnings == read.warnings == _answer(_volume(counts, interval_minutes=1_440)).warnings


@pytest.mark.parametrize(
    ("minutes", "said"), [(1, "2分钟"), (7, "14分钟"), (30, "1小时"), (90, "3小时"), (100, "200分钟")]
)
def test_how_long_nothing_is_known_is_told_in_whole_numbers(minutes: int, said: str) -> None:
    found = _answer(_volume([9.0] * 60 + [None] * 2, interval_minutes=minutes))
    assert f"最近{said}没有发帖数据，结果按此前的情况估算" in found.warnings


def test_a_topic_like_those_of_training_is_in_domain() -> None:
    found = _answer(_whole(7, 12))
    assert found.in_domain
    assert found.missing == ()
    assert _answer(_volume(KNOWN.counts[:12])).missing == tuple(OPTIONAL)


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ([10.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0], None),  # 20 posts, 10 of them in the last 6 h
        ([11.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0], "近6小时不足10帖"),
        ([9.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0], "累计不足20帖"),
        ([None, *[4.0] * 6], None),  # the hour before the last six may be unknown
        ([5.0] * MAX_AGE, None),
        ([5.0] * (MAX_AGE + 1), "话题已超过48小时"),
    ],
)
def test_the_rule_of_the_domain_holds_at_its_edges_and_is_told(counts: list[float | None], why: str | None) -> None:
    found = _answer(_volume(counts))
    assert found.in_domain == (why is None)
    told = [one for one in found.warnings if "与训练数据不同" in one]
    assert told == ([f"与训练数据不同（{why}）：排序可参考，数值不可尽信"] if why else [])


@pytest.mark.parametrize(
    ("counts", "more", "why"),
    [
        ([*[5.0] * 3, None, 5.0, 5.0], {}, "近6小时有数据缺失"),
        ([1.0] * 6, {}, "累计不足20帖、近6小时不足10帖"),
        ([30.0] * 6 + [1.0] * 6, {}, "近6小时不足10帖"),
        ([20.0] * (HOURS + 1), {}, "话题已超过48小时"),
        ([100_000.0] * 6, {}, "规模超出训练数据"),
        ([60.0] * 6, {"interval_minutes": 120}, "时段长于1小时"),
    ],
)
def test_out_of_domain_falls_back_and_says_so(counts: list[float | None], more: dict[str, int], why: str) -> None:
    volume = _volume(counts, **more)
    found = _answer(volume)
    assert not found.in_domain
    assert any(f"（{why}）" in one for one in found.warnings)
    features = design(count_features(windows_of([volume]), MODEL.diurnal), MODEL.names)
    inputs = features[:, MODEL.free]
    assert found.probability == pytest.approx(MODEL.fallback.predict_proba(inputs)[0, 1], abs=1e-4)
    silent = replace(MODEL, main=None)  # the main model is not even asked
    assert _answer(volume, silent) == found


def test_the_fallback_does_not_see_how_large_a_topic_is() -> None:
    assert {MODEL.names[i] for i in MODEL.free} == {*MODEL.names} - {*SCALED}
    counts = [9_000.0, 12_000.0, 15_000.0, 20_000.0, 18_000.0, 24_000.0]
    one, ten = _answer(_volume(counts)), _answer(_volume([count * 10 for count in counts]))
    assert not one.in_domain
    assert ten.probability == pytest.approx(one.probability, abs=2e-3)


def test_more_posts_needed_never_raise_the_likelihood() -> None:
    _, _, where, table = trained()
    rows = table.features[where.test][::20]
    trees = MODEL.main.estimator.estimator.estimators_[0]  # the line weighs paces against each other
    needed = [i for i, name in enumerate(MODEL.names) if name.startswith("needed_over_")]
    assert len(needed) == 7
    before, moved = trees.predict_proba(rows)[:, 1], False
    for step in (0.1, 0.5, 1.0, 3.0):
        rows = rows.copy()
        rows[:, needed] += step
        after = trees.predict_proba(rows)[:, 1]
        assert (after <= before + 1e-12).all()
        moved |= bool((after < before - 1e-3).any())
        before = after
    assert moved


def _by_hand(coefficient: dict[str, float]) -> EscalationModel:
    """The model with a logistic regression in place of the trees, its coefficients set by hand."""
    linear = LogisticRegression()
    linear.classes_, linear.intercept_ = np.array([0, 1]), np.array([-1.0])
    linear.coef_ = np.array([[coefficient.get(name, 0.0) for name in MODEL.names]])
    return replace(MODEL, main=linear)


def test_factors_are_what_is_lost_at_the_medians_with_its_sign() -> None:
    parts = dict.fromkeys(OPTIONAL, (1.0,) * 6)
    rising, falling = (_volume(counts, **parts) for counts in ([10.0] * 3 + [20.0] * 3, [20.0] * 3 + [10.0] * 3))
    by_hand = _by_hand({"growth_3h": 1.0})
    middle = float(MODEL.middle[MODEL.names.index("growth_3h")])
    for volume, growth in ((rising, np.log(60.5 / 30.5)), (falling, np.log(30.5 / 60.5))):
        found = _answer(volume, by_hand)
        assert found.in_domain
        assert [factor.name for factor in found.factors] == ["momentum"]
        assert found.factors[0].effect == pytest.approx(growth - middle, abs=0.006)
        assert found.probability == pytest.approx(1 / (1 + np.exp(1 - growth)), abs=1e-4)
    assert _answer(rising, by_hand).factors[0].effect > 0 > _answer(falling, by_hand).factors[0].effect
    assert _answer(rising, _by_hand({"growth_3h": -1.0})).factors[0].effect < 0


def test_factors_of_the_trained_model_are_effects_in_log_odds() -> None:
    volume = _whole(11, 20)
    features = design(count_features(windows_of([volume]), MODEL.diurnal), MODEL.names)
    inside = np.ones(1, bool)
    whole = log_odds(MODEL.probabilities(features, inside))[0]
    for factor in _answer(volume).factors:
        without = features.copy()
        columns = [i for i, name in enumerate(MODEL.names) if name.startswith(GROUPS[factor.name])]
        without[:, columns] = MODEL.middle[columns]
        lost = whole - log_odds(MODEL.probabilities(without, inside))[0]
        assert factor.effect == pytest.approx(lost, abs=0.006)


def test_a_model_that_knows_nothing_gives_no_reasons() -> None:
    assert _answer(_whole(7, 12), _by_hand({})).factors == ()


def test_log_odds_are_finite_at_certainty() -> None:
    assert log_odds(np.array([0.5])) == 0
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("counts", "minutes", "hours", "told"),
    [
        ([50.0] * 20, 1, 1, False),  # before the first bin there was nothing
        ([500.0], 15, 1, False),
        ([50.0] * 80, 1, 2, False),
        ([50.0] * 60, 1, 1, False),
        ([5.0] * 9, 20, 3, False),
        ([5.0, None], 10, 1, False),
        ([*[5.0] * 4, *[None] * 3, 5.0], 15, 1, True),  # a quarter of the newest hour
        ([None], 10, 0, False),
    ],
)
def test_bins_shorter_than_an_hour_are_counted_in_hours_and_unread_ones_are_told(
    counts: list[float | None], minutes: int, hours: int, told: bool
) -> None:
    found = _answer(_volume(counts, interval_minutes=minutes))
    assert (found.n_obs, found.cold_start) == (hours, hours <= COLD)
    assert ("counts" in found.missing) == (told or None in counts)
    assert any("未计入" in warning for warning in found.warnings) == told


@pytest.mark.parametrize(("counts", "minutes"), [([None], 60), ([*[None] * 3, 500.0], 15), ([None] * 9, 60)])
def test_a_topic_of_which_nothing_was_observed_is_not_described(counts: list[float | None], minutes: int) -> None:
    found = _answer(_volume(counts, interval_minutes=minutes))
    assert "没有可用的观测" in found.warnings[0]
    assert {factor.name for factor in found.factors} <= {"clock"}

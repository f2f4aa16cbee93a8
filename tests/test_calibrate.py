"""Calibration: known temperatures come back, decisions stay, sets cover, a higher cost never grades lower."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from models.calibration import Calibration
from models.probabilities import category_probabilities, likeliest, severity_probabilities
from models.text import HALF, blend, interpret, stretch
from training import calibrate
from training.calibrate import (
    LOG_GAP_POWERS,
    MISS_COSTS,
    QWK_TOLERANCE,
    REVIEW_SHARE,
    UNDER_COSTS,
    _unusual,
    choose_miss_cost,
    choose_under_cost,
    conformal_floor,
    fit_calibration,
    fit_category,
    fit_severity,
)
from training.metrics import log_loss, macro_f1, qwk, under_grading_rate

tidy = st.integers(-1200, 1200).map(lambda n: n / 100)
category_logits = arrays(np.float64, (5, 17), elements=tidy)
severity_logits = arrays(np.float64, (5, 3), elements=tidy)
temperatures = st.floats(0.25, 4)


def drawn(probabilities: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One label per row, by its probabilities."""
    return (
        (probabilities.cumsum(1) < random.random((len(probabilities), 1))).sum(1).clip(max=probabilities.shape[1] - 1)
    )


def world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Logits of both heads, and labels drawn from exactly the probabilities that they mean."""
    random = np.random.default_rng(seed)
    category, severity = random.normal(0, 2, (n, 6)), random.normal(0, 2, (n, 3))
    chosen = drawn(category_probabilities(category), random)
    ranks = drawn(severity_probabilities(np.zeros(n), severity), random)
    return category, severity, chosen, np.where(chosen == 0, 0, ranks)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_comes_back(temperature: float) -> None:
    category, severity, chosen, rank = world(4000)
    assert fit_category(category * temperature, chosen).category_temperature == pytest.approx(temperature, rel=0.08)
    assert fit_severity(severity / temperature, rank) == pytest.approx(1 / temperature, rel=0.08)


def test_weights_of_the_training_are_undone() -> None:
    random = np.random.default_rng(3)
    counts = np.array([4000, 800, 400, 200, 100, 50])
    logits = random.normal(0, 1.5, (6000, 6)) + np.log(counts)
    chosen = drawn(category_probabilities(logits), random)
    weighted = logits - 0.5 * np.log(np.bincount(chosen, minlength=6))
    found = interpret(weighted, np.zeros((6000, 3)), fit_category(weighted, chosen)).category
    assert np.abs(found - category_probabilities(logits)).mean() < 0.005
    assert np.abs(category_probabilities(weighted) - category_probabilities(logits)).mean() > 0.03


def test_logits_that_smoothing_held_too_near_are_stretched() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(0, 3, (6000, 6))
    chosen = drawn(category_probabilities(logits), random)
    gaps = logits.max(1, keepdims=True) - logits
    fitted = fit_category(-(gaps**0.7), chosen)
    assert fitted.gap_power == pytest.approx(1 / 0.7, rel=0.05)
    found = interpret(blend(-(gaps**0.7), None, fitted), np.zeros((6000, 3)), fitted).category
    assert np.abs(found - category_probabilities(logits)).mean() < 0.005


@given(category_logits, st.floats(0.5, 2))
def test_stretching_keeps_the_order(logits: np.ndarray, power: float) -> None:
    stretched = stretch(logits, power)
    higher = logits[:, :, None] > logits[:, None, :]
    assert (stretched[:, :, None] >= stretched[:, None, :])[higher].all()
    assert (stretch(logits, 1.0) == logits).all()


def test_without_crises_the_severity_stays_uncalibrated() -> None:
    category, severity, _, _ = world(50)
    none = np.zeros(50, int)
    fitted = fit_calibration(category, severity, none, none)
    assert fitted.severity_temperature == 1
    assert np.isfinite(fitted.category_temperature)


@given(category_logits, temperatures)
def test_a_temperature_leaves_the_most_probable_category(logits: np.ndarray, temperature: float) -> None:
    assert (category_probabilities(logits, temperature).argmax(1) == logits.argmax(1)).all()


@given(category_logits, severity_logits)
def test_without_calibration_the_plain_probabilities_are_served(category: np.ndarray, severity: np.ndarray) -> None:
    found = interpret(category, severity, Calibration())
    assert (found.category == category_probabilities(category)).all()
    assert found.members.all()  # floor 0: every category is in the set
    assert not found.needs_review.any()


def test_at_the_floor_a_category_is_in_the_set_and_at_the_doubt_nothing_needs_review() -> None:
    even = np.zeros((1, 2))  # none and a crisis are at 1/2 each: none is decided, and the doubt is 1/2
    for floor, members in ((0.5, [True, True]), (0.51, [True, False])):
        found = interpret(even, np.zeros((1, 3)), Calibration(conformal_floor=floor))
        assert found.members.tolist() == [members]
    for doubt, review in ((0.5, False), (0.49, True)):
        found = interpret(even, np.zeros((1, 3)), Calibration(review_doubt=doubt))
        assert (found.chosen.tolist(), found.needs_review.tolist()) == ([0], [review])


@given(category_logits, severity_logits)
def test_the_decided_category_is_in_the_set_whatever_the_floor(category: np.ndarray, severity: np.ndarray) -> None:
    found = interpret(category, severity, Calibration(conformal_floor=2.0, miss_cost=3.0))
    assert found.members[np.arange(len(category)), found.chosen].all()
    assert (found.members.sum(1) == 1)[found.category.max(1) >= HALF].all()


def test_where_no_category_has_a_half_the_set_has_the_coverage_together() -> None:
    """One floor for all gave the most doubtful posts the smallest sets: the decided category alone, where none reached
    it."""
    shares = np.array([[0.49, 0.3, 0.11, 0.06, 0.04], [0.5, 0.3, 0.1, 0.06, 0.04], [0.2, 0.2, 0.2, 0.2, 0.2]])
    found = interpret(np.log(shares), np.zeros((3, 3)), Calibration(conformal_floor=0.4, coverage=0.89))
    assert found.members.tolist() == [[True] * 3 + [False] * 2, [True] + [False] * 4, [True] * 5]
    assert likeliest(shares, 0.5).sum(1).tolist() == [2, 1, 3]
    assert likeliest(shares, 2.0).all()


@pytest.mark.parametrize(("n", "coverage"), [(4, 0.9), (9, 0.9), (10, 0.8), (50, 0.9), (200, 0.95)])
def test_sets_cover_exchangeable_rows_as_promised(n: int, coverage: float) -> None:
    random = np.random.default_rng(n)
    covered = []
    for _ in range(2000):
        seen, fresh = random.random((n, 1)), random.random((20, 1))
        covered.append((fresh >= conformal_floor(seen, np.zeros(n, int), coverage)).mean())
    margin = 4 * np.std(covered) / np.sqrt(len(covered))
    assert np.mean(covered) >= coverage - margin
    assert np.mean(covered) <= coverage + 1 / (n + 1) + margin + 1e-9


@given(st.integers(1, 40), st.sampled_from([(0.9, 10), (0.8, 5), (0.7, 10), (0.95, 20)]))
def test_as_many_rows_stay_outside_as_the_coverage_allows(times: int, wanted: tuple[float, int]) -> None:
    """Shares that come out even: in floats 1 - 0.9 is below a tenth, and one row fewer stayed outside."""
    coverage, steps = wanted
    n = times * steps - 1
    probabilities = (np.arange(n) + 1.0)[:, None] / (n + 1)
    floor = conformal_floor(probabilities, np.zeros(n, int), coverage)
    assert (probabilities <= floor).sum() == round((1 - coverage) * (n + 1))


@given(category_logits, severity_logits, st.floats(1, 9), st.floats(1, 9), temperatures)
def test_a_higher_under_cost_never_lowers_a_rank(
    category: np.ndarray, severity: np.ndarray, one: float, other: float, temperature: float
) -> None:
    base = Calibration(category_temperature=temperature, severity_temperature=temperature)
    low, high = (interpret(category, severity, replace(base, under_cost=cost)) for cost in sorted((one, other)))
    assert (low.rank <= high.rank).all()
    assert (low.chosen == high.chosen).all()


@given(category_logits, severity_logits, st.floats(1, 9), st.floats(1, 9), st.booleans())
def test_a_higher_miss_cost_only_turns_none_into_the_likeliest_crisis(
    category: np.ndarray, severity: np.ndarray, one: float, other: float, by_rank: bool
) -> None:
    base = Calibration(miss_by_rank=by_rank)
    low, high = (interpret(category, severity, replace(base, miss_cost=cost)) for cost in sorted((one, other)))
    turned = low.chosen != high.chosen
    assert (low.chosen[turned] == 0).all()
    assert (high.chosen[turned] == 1 + low.category[turned, 1:].argmax(axis=1)).all()
    assert (low.category == high.category).all()
    assert ((high.chosen == 0) == (high.rank == 0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_cost_of_a_missed_crisis_is_the_best_of_those_tried(seed: int) -> None:
    category, severity, truth, rank = world(600, seed)

    def mean(tried: Calibration) -> float:
        found = interpret(category, severity, tried)
        return macro_f1(truth, found.chosen) + qwk(rank, found.rank)

    tried = [Calibration(miss_cost=cost, miss_by_rank=by_rank) for cost in MISS_COSTS for by_rank in (False, True)]
    assert mean(choose_miss_cost(category, severity, truth, rank, Calibration())) == max(map(mean, tried))


def test_the_fit_uses_the_costs_that_it_chose() -> None:
    category, severity, _, _ = world(600)
    category[:, 0] += 2  # where none is likely, an answer that always takes the likeliest misses crises
    random = np.random.default_rng(1)
    chosen = drawn(category_probabilities(category), random)
    rank = np.where(chosen == 0, 0, drawn(severity_probabilities(np.zeros(600), severity), random))
    fitted = fit_calibration(category, severity, chosen, rank)
    plain = replace(fitted, miss_cost=1.0, miss_by_rank=False, under_cost=1.0)
    again = choose_miss_cost(category, severity, chosen, rank, plain)
    assert (fitted.miss_cost, fitted.miss_by_rank) == (again.miss_cost, again.miss_by_rank) != (1.0, False)
    before = replace(fitted, under_cost=1.0)
    assert fitted.under_cost == choose_under_cost(category, severity, rank, before)


@pytest.mark.parametrize("seed", range(3))
def test_the_chosen_cost_is_safe_and_cheap(seed: int) -> None:
    category, severity, _, rank = world(600, seed)

    def decided(cost: float) -> np.ndarray:
        return interpret(category, severity, Calibration(under_cost=cost)).rank

    chosen = choose_under_cost(category, severity, rank, Calibration())
    assert chosen in UNDER_COSTS
    kappas = {cost: qwk(rank, decided(cost)) for cost in UNDER_COSTS}
    assert kappas[chosen] >= max(kappas.values()) - QWK_TOLERANCE
    allowed = [cost for cost in UNDER_COSTS if kappas[cost] >= max(kappas.values()) - QWK_TOLERANCE]
    missed = [under_grading_rate(rank, decided(cost)) for cost in allowed]
    assert under_grading_rate(rank, decided(chosen)) == min(missed)


def test_a_little_qwk_is_given_for_severe_crises_and_much_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, true rank and the ranks that the costs 1, 2 and 3 decide; these let P(rank > 1) reach 1/2, 1/3, 1/4:

    posts  true  P(rank > 1)  decided  squared errors
    6      1     0            1 1 1    0   0   0
    3      4     1            4 4 4    0   0   0
    1      3     0.4          1 2 2    4   1   1
    3      1     0.4          1 2 2    0   3   3
    1      3     0.3          1 1 2    4   4   1
    9      1     0.3          1 1 2    0   0   9
    QWK: 0.8456, 0.8441, 0.72; under-graded of the five severe posts: 2, 1, 0.
    """
    monkeypatch.setattr(calibrate, "UNDER_COSTS", (1.0, 2.0, 3.0))
    rank = np.repeat([1, 4, 3, 1, 3, 1], times := [6, 3, 1, 3, 1, 9])
    above = np.repeat([-20, 20, *np.log([0.4 / 0.6, 0.4 / 0.6, 0.3 / 0.7, 0.3 / 0.7])], times)
    severity = np.column_stack([above, *[np.where(rank == 4, 20, -20)] * 2])
    category = np.tile([0.0, 20.0], (len(rank), 1))  # crises, all of them
    decided = [interpret(category, severity, Calibration(under_cost=cost)).rank for cost in (1.0, 2.0, 3.0)]
    assert [round(qwk(rank, each), 4) for each in decided] == [0.8456, 0.8441, 0.72]
    assert [under_grading_rate(rank, each) for each in decided] == [2 / 5, 1 / 5, 0]
    assert choose_under_cost(category, severity, rank, Calibration()) == 2.0


def test_the_fit_on_validation_rows_keeps_its_promises_there() -> None:
    category, severity, chosen, rank = world(1500)
    fitted = fit_calibration(2 * category, severity, chosen, rank)
    found = interpret(2 * category, severity, fitted)
    reached = found.category >= fitted.conformal_floor
    assert reached[np.arange(1500), chosen].mean() == pytest.approx(fitted.coverage, abs=0.01)
    assert found.members[reached].all()
    assert found.members.sum(1).min() >= 1
    assert found.members[np.arange(1500), found.chosen].all()
    assert found.needs_review.mean() == pytest.approx(REVIEW_SHARE, abs=0.01)
    assert found.confidence[found.needs_review].max() <= found.confidence[~found.needs_review].min()


@pytest.mark.parametrize("seed", [0, 1, 2, 6, 10])
def test_on_few_rows_no_other_start_finds_a_likelier_calibration(seed: int) -> None:
    """Two readers that hardly know: the search once stopped up to 0.2 above what others find."""
    random = np.random.default_rng(seed)
    meant = random.normal(0, 2, (40, 6)) + 2 * (np.arange(6) == 0)
    chosen = np.array([random.choice(6, p=row) for row in category_probabilities(meant)])
    category, lexical = (0.1 * meant + random.normal(0, 1, meant.shape) for _ in range(2))
    counts = np.log(np.bincount(chosen, minlength=6) + 1.0)

    def unusual(prior: float, temperature: float, power: float, weight: float) -> float:
        return _unusual(np.array([prior, *np.log([temperature, power, weight])])) / len(chosen)

    def loss(found: np.ndarray) -> float:
        power = float(np.exp(np.clip(found[0], *LOG_GAP_POWERS)))
        both = blend(category, lexical, Calibration(gap_power=power, lexical_weight=float(np.exp(found[1]))))
        likelihood = log_loss(
            category_probabilities(both + found[2] * (counts - counts.mean()), np.exp(found[3])), chosen
        )
        return likelihood + _unusual(found[[2, 3, 0, 1]]) / len(chosen)

    fitted = fit_category(category, chosen, lexical)
    biased = blend(category, lexical, fitted) + fitted.category_bias
    prior = fitted.category_bias[0] / (counts - counts.mean())[0]
    found = log_loss(category_probabilities(biased, fitted.category_temperature), chosen) + unusual(
        prior, fitted.category_temperature, fitted.gap_power, fitted.lexical_weight
    )
    others = [minimize(loss, start, method="Powell").fun for start in random.normal(0, 0.7, (12, 4))]
    assert found < min(others) + 1e-3


def test_few_rows_that_are_all_answered_right_do_not_make_answers_certain() -> None:
    category, severity, _, rank = world(2_000)
    chosen = category.argmax(1)
    fitted = fit_calibration(category[:20], severity[:20], chosen[:20], rank[:20])
    probabilities = interpret(category, severity, fitted).category
    assert fitted.category_temperature > 0.2  # 0.005, and P = 1 for every post, where nothing but the rows counted
    assert np.median(probabilities.max(1)) < 0.999


def test_rows_without_a_crisis_do_not_teach_that_there_is_none() -> None:
    random = np.random.default_rng(4)
    chosen = random.integers(0, 6, 600)
    category = random.normal(0, 1, (600, 6)) + 3 * np.eye(6)[chosen]
    none = category[chosen == 0][:40]
    fitted = fit_category(none, np.zeros(len(none), int))
    decided = (blend(category, None, fitted) + fitted.category_bias).argmax(1)
    assert (decided[chosen > 0] == 0).mean() < 0.25  # 0.65 where nothing but the rows counted

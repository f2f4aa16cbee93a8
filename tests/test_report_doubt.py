"""Doubt: sets that hold everything cover everything, a perfect order catches what can be caught, scaling is undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from data.taxonomy import load_taxonomy
from models.bundle import Bundle
from models.engine_build import load_text_model
from models.text import TextPredictions, blend, interpret
from training.report_doubt import (
    calibration_figures,
    contradicted,
    doubt_figures,
    most_doubtful,
    severity_calibration,
    unscaled,
    with_signals,
)
from training.text_report import Truth

RANDOM = np.random.default_rng(0)
N, CLASSES = 400, 5


def made(truth_category: np.ndarray, truth_rank: np.ndarray) -> Truth:
    n = len(truth_category)
    return Truth(truth_category, np.full(n, -1), truth_rank, np.arange(n), np.full(n, ""))


def predictions(category: np.ndarray, wrong_are_doubtful: bool, wrong: np.ndarray) -> TextPredictions:
    """Ranks are always 0 and sure; categories as given, wrong rows less sure when asked."""
    chosen = np.where(wrong, (category + 1) % CLASSES, category)
    sure = np.where(wrong, 0.4, 0.9) if wrong_are_doubtful else np.full(len(category), 0.6)
    probabilities = np.full((len(category), CLASSES), 0.0)
    probabilities += ((1 - sure) / (CLASSES - 1))[:, None]
    probabilities[np.arange(len(category)), chosen] = sure
    severity = np.zeros((len(category), 5))
    severity[:, 0] = 1.0
    members = probabilities > 0.12
    return TextPredictions(probabilities, severity, chosen, np.zeros(len(category), int), members, wrong.copy())


def test_a_perfect_order_catches_all_that_its_share_can_hold() -> None:
    category = RANDOM.integers(0, CLASSES, N)
    wrong = np.arange(N) % 10 == 0  # 10 % of the rows: all fit into the share of 15 %
    found = doubt_figures(made(category, np.zeros(N, int)), predictions(category, True, wrong), draws=20)
    assert found["errors_caught"][0] == found["errors_caught_at_share"][0] == 1
    assert found["errors_caught_rank_too"] == found["errors_caught"]  # no rank is wrong
    assert found["reviewed"][0] == pytest.approx(0.1)
    assert found["most_possible"] == {"category": 1.0, "category_or_rank": 1.0}
    many = np.arange(N) % 2 == 0  # 50 %: a share of 15 % catches 30 % of them at best
    found = doubt_figures(made(category, np.zeros(N, int)), predictions(category, True, many), draws=20)
    assert found["errors_caught_at_share"][0] == pytest.approx(0.3)
    assert found["most_possible"]["category"] == pytest.approx(0.3)


def test_coverage_counts_the_true_category_in_the_set() -> None:
    category = RANDOM.integers(0, CLASSES, N)
    wrong = np.arange(N) % 4 == 0
    seen = predictions(category, True, wrong)  # sure rows hold one member, unsure ones hold all (0.15 each)
    found = doubt_figures(made(category, np.zeros(N, int)), seen, draws=20)
    assert found["coverage"] == [1, 1, 1]
    assert found["set_size"][0] == pytest.approx(0.75 * 1 + 0.25 * CLASSES)
    assert found["single_sets"][0] == pytest.approx(0.75)
    narrow = replace(seen, members=np.eye(CLASSES, dtype=bool)[seen.chosen])
    assert doubt_figures(made(category, np.zeros(N, int)), narrow, draws=20)["coverage"][0] == pytest.approx(0.75)


def test_signals_mark_more_and_catch_no_fewer() -> None:
    category = RANDOM.integers(0, CLASSES, N)
    wrong = np.arange(N) % 4 == 0
    seen = replace(predictions(category, True, wrong), needs_review=np.arange(N) % 8 == 0)
    truth = made(category, np.zeros(N, int))
    found = with_signals(truth, seen, np.arange(N) % 8 == 4, draws=20)
    assert (found["reviewed"][0], found["errors_caught"][0]) == (0.25, 1)
    alone = doubt_figures(truth, seen, draws=20)
    same = with_signals(truth, seen, np.zeros(N, bool), draws=20)
    assert same == {name: alone[name] for name in ("reviewed", "errors_caught")}


def test_a_signal_counts_below_its_rank_only() -> None:
    texts = ["这家店卖假货，我已经起诉", "这家店卖假货，我已经起诉", "今天天气不错"]
    seen = predictions(np.zeros(3, int), False, np.zeros(3, bool))
    flags = contradicted(texts, replace(seen, rank=np.array([1, 2, 0])), load_taxonomy())
    assert flags.tolist() == [True, False, False]


def test_without_errors_there_is_nothing_to_catch() -> None:
    category = RANDOM.integers(0, CLASSES, N)
    seen = predictions(category, False, np.zeros(N, bool))
    found = doubt_figures(made(category, np.zeros(N, int)), seen, draws=10)
    assert np.isnan(found["errors_caught"][0])
    assert found["most_possible"]["category"] == 1.0


@pytest.mark.parametrize(("share", "rows"), [(0.0, 0), (0.15, 3), (0.151, 4), (1.0, 20)])
def test_the_least_sure_rows_are_the_most_doubtful(share: float, rows: int) -> None:
    confidence = RANDOM.permutation(20) / 20
    flags = most_doubtful(confidence, share)
    assert flags.sum() == rows
    assert not flags.any() or confidence[flags].max() < confidence[~flags].min(initial=2)


def test_unscaled_takes_out_stretch_and_temperatures_only(tiny_bundle: Bundle) -> None:
    model = replace(load_text_model(tiny_bundle, "torch", threads=1), lexical=None)
    model = replace(model, calibration=replace(model.calibration, gap_power=1.3, category_temperature=2.0))
    texts = ["买到假货", "快递丢了，客服不理", "今天天气好"]
    logits = model.engine.logits(model.tokens.encode(texts))
    assert np.allclose(unscaled(model).predict(texts).category, softmax(logits[0].astype(float), axis=1), atol=1e-6)
    scaled = interpret(blend(logits[0], None, model.calibration), logits[1], model.calibration).category
    assert np.allclose(model.predict(texts).category, scaled, atol=1e-6)
    assert not np.allclose(unscaled(model).predict(texts).category, scaled, atol=1e-3)


def test_calibration_figures_hold_the_curve() -> None:
    probabilities = RANDOM.dirichlet(np.ones(CLASSES), N)
    truth = made(np.array([RANDOM.choice(CLASSES, p=row) for row in probabilities]), np.zeros(N, int))
    found = calibration_figures(truth, probabilities, draws=20)
    assert sum(one["rows"] for one in found["bins"]) == N
    gap = sum(one["rows"] * abs(one["confidence"] - one["accuracy"]) for one in found["bins"]) / N
    assert found["ece"][0] == pytest.approx(gap, abs=1e-4)
    assert found["ece"][0] < 0.1  # the labels were drawn from these very probabilities


def test_ranks_that_were_drawn_from_the_probabilities_are_calibrated_and_sharpened_ones_are_not() -> None:
    severity = RANDOM.dirichlet(np.ones(5), 4_000)
    truth = made(np.zeros(4_000, int), np.array([RANDOM.choice(5, p=row) for row in severity]))
    found, sharp = (severity_calibration(truth, one, draws=20) for one in (severity, softmax(8 * severity, axis=1)))
    assert set(found) == {"from_2", "from_3"}
    assert all(found[name][0] < 0.04 < sharp[name][0] for name in found)

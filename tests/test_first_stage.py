"""The first stage settles only what its floor allows; every other answer is that of the whole model, bit for bit."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console
from scipy.special import expit, log_softmax

from data.errors import BundleError
from data.records import Item
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, find_first_stage, open_bundle, save_first_stage, text_part
from models.calibration import FIRST_STAGE, Calibration, FirstStage
from models.engine_build import load_text_model
from models.manifest import Manifest, TextPart, now
from models.probabilities import category_probabilities, severity_probabilities
from models.scorer import Scorer
from models.text import TextModel, TextPredictions, settle
from serving.batch.pools import Here
from serving.batch.run import Job, score_files
from training.first_stage_fit import LOST, fit_first_stage, rank_logits
from training.first_stage_report import on_unlabelled

TEXTS = [row.text for row in sample_examples()]
ARRAYS = ("category", "severity", "chosen", "rank", "members", "needs_review")


@pytest.fixture(scope="module")
def whole(tiny_scorer: Scorer) -> TextModel:
    assert tiny_scorer.text is not None
    return tiny_scorer.text


@pytest.fixture(scope="module")
def stage(whole: TextModel) -> FirstStage:
    """A floor that half of the posts reach which the second reader finds to be none."""
    assert whole.lexical is not None
    logits = whole.lexical.logits(TEXTS)
    none = np.exp(logits[:, 0]) / np.exp(logits).sum(1)
    floor = float(np.median(none[logits.argmax(1) == 0]))
    return FirstStage(floor=floor, temperature=1.0, severity_logits=(0.0, -1.0, -2.0))


def test_what_is_left_over_gets_the_whole_models_answer(whole: TextModel, stage: FirstStage) -> None:
    staged, plain = replace(whole, first_stage=stage).predict(TEXTS), whole.predict(TEXTS)
    assert staged.settled is not None
    assert 0 < staged.settled.sum() < len(TEXTS)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(staged, name)[~staged.settled], getattr(plain, name)[~staged.settled])


def test_what_is_settled_is_none_with_probabilities_of_its_own(whole: TextModel, stage: FirstStage) -> None:
    found = replace(whole, first_stage=stage).predict(TEXTS)
    assert found.settled is not None
    assert (found.chosen[found.settled] == 0).all()
    assert (found.rank[found.settled] == 0).all()
    assert (found.category[found.settled, 0] >= stage.floor).all()
    np.testing.assert_allclose(found.severity.sum(1), 1)
    np.testing.assert_allclose(found.severity[found.settled, 0], found.category[found.settled, 0])


def test_a_text_that_is_cut_needs_review_whoever_reads_it(whole: TextModel, stage: FirstStage) -> None:
    """A death in the middle of 900 characters of praise was a sure none."""
    long = [text * (1200 // len(text) + 1) for text in TEXTS if len(text) > 20]  # else a refrain, which is shortened
    assert whole.predict(long).needs_review.all()
    assert not whole.predict(TEXTS).needs_review.all()
    found = replace(whole, first_stage=replace(stage, floor=0.0)).predict(long)
    assert found.settled is not None
    assert found.settled.any()
    assert found.needs_review.all()


def test_a_crisis_that_the_costs_decide_is_not_settled_and_a_bias_of_the_other_reader_changes_nothing(
    stage: FirstStage,
) -> None:
    logits = np.random.default_rng(0).normal(size=(500, 17)) * 2
    logits[:, 0] += 5
    low, costly = replace(stage, floor=0.5), Calibration(miss_cost=6.0)
    found, clear = settle(logits, low, costly)
    sure = found.category[:, 0] >= low.floor
    assert (sure & (found.chosen > 0)).sum() > 0
    assert (clear == (sure & (found.chosen == 0))).all()
    biased, same = settle(logits, low, replace(costly, category_bias=(3.0, *[-1.0] * 16)))
    np.testing.assert_array_equal(biased.category, found.category)
    np.testing.assert_array_equal(same, clear)


def test_a_higher_floor_never_settles_more(whole: TextModel, stage: FirstStage) -> None:
    settled = [
        replace(whole, first_stage=replace(stage, floor=floor)).predict(TEXTS).settled for floor in (0.5, 0.9, 1.0)
    ]
    for lower, higher in pairwise(settled):
        assert not (higher & ~lower).any()  # type: ignore[operator]


def test_rows_that_must_be_whole_are_not_settled(whole: TextModel, stage: FirstStage) -> None:
    model = replace(whole, first_stage=stage)
    some = np.flatnonzero(model.predict(TEXTS).settled)[:2]
    found = model.predict(TEXTS, [int(row) for row in some])
    assert found.settled is not None
    assert not found.settled[some].any()
    np.testing.assert_array_equal(found.category[some], whole.predict(TEXTS).category[some])


def _said(none: NDArray[np.float64], rank: NDArray[np.int64]) -> TextPredictions:
    """A whole model of three categories and five ranks that decides these ranks and says P(none)."""
    category = np.column_stack([none, (1 - none) * 0.7, (1 - none) * 0.3])
    severity = severity_probabilities(none, np.zeros((len(none), 3)))
    chosen = np.where(rank == 0, 0, 1)
    return TextPredictions(category, severity, chosen, rank, category > 0.1, none < 0.9)


def _posts(count: int = 3_000) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], TextPredictions]:
    """Logits of a second reader that sees crises of category 2 badly, labels, and what a better model says of them."""
    random = np.random.default_rng(0)
    category = random.integers(0, 3, count)
    rank = np.where(category == 0, 0, random.integers(1, 5, count))
    logits = np.eye(3)[category] * np.where(category == 2, 1.5, 4.0)[:, None] + random.normal(size=(count, 3))
    none = np.clip((category == 0) + random.normal(0, 0.05, count), 0.01, 0.99)
    return logits, category, rank, _said(none, rank)


def test_the_floor_loses_at_most_the_share_that_is_allowed() -> None:
    logits, category, rank, whole = _posts()
    stage = fit_first_stage(logits, category, rank, whole)
    _, settled = settle(logits, stage, Calibration())
    assert settled[whole.rank >= 2].mean() <= 2 * LOST  # the floor is chosen by weights that had not seen the post
    assert settled.mean() > 0.1


def test_the_weights_give_back_a_whole_model_that_follows_the_second_reader_in_its_own_way() -> None:
    logits, category, rank, _ = _posts()
    thoughts = log_softmax(logits, axis=1)
    none = expit(thoughts @ np.array([1.0, -0.5, 0.8]) + 0.5)  # the temperature alone could not say this
    stage = fit_first_stage(logits, category, rank, _said(none, rank))
    told, _ = settle(logits, stage, Calibration())
    own, _ = settle(logits, replace(stage, none_weights=()), Calibration())
    assert np.abs(told.category[:, 0] - none).max() < 0.03
    assert np.abs(own.category[:, 0] - none).max() > 0.2


def test_only_a_post_that_the_whole_model_finds_severe_can_be_lost() -> None:
    logits, category, rank, whole = _posts()
    stage = fit_first_stage(logits, category, rank, whole)
    none = settle(logits, stage, Calibration())[0].category[:, 0]
    misled = (rank >= 2) & (none > 0.9 * stage.floor)  # the reader takes these for none
    missed = replace(whole, rank=np.where(misled, 1, rank))  # and now the whole model does not find them severe either
    assert fit_first_stage(logits, category, rank, missed).floor < stage.floor
    nothing = replace(whole, rank=np.zeros_like(rank))
    assert not settle(logits, fit_first_stage(logits, category, rank, nothing), Calibration())[1].any()


def test_without_weights_the_reader_answers_by_its_temperature_as_in_older_bundles() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 17))
    stage = FirstStage(floor=0.5, temperature=1.3, severity_logits=(0.0, -1.0, -2.0))
    np.testing.assert_allclose(
        settle(logits, stage, Calibration())[0].category, category_probabilities(logits, 1.3), rtol=1e-12
    )
    neutral = replace(stage, temperature=1.0, none_weights=(1.0, *[0.0] * 17))
    told = settle(logits, neutral, Calibration())[0].category
    own = category_probabilities(logits)
    np.testing.assert_allclose(told[:, 0], own[:, 0] / (1 + own[:, 0]))  # odds = P(none): weight 1, constant 0
    np.testing.assert_allclose(told[:, 1:] / told[:, 1:2], own[:, 1:] / own[:, 1:2])  # crises among themselves as ever


def test_rank_logits_give_back_the_shares() -> None:
    rank = np.array([1] * 59 + [2] * 29 + [3] * 9)  # and one more each: 60, 30, 10, 1
    found = severity_probabilities(np.zeros(1), np.array([rank_logits(rank, 5)]))[0]
    np.testing.assert_allclose(found, np.array([0, 60, 30, 10, 1]) / 101)


def test_training_keeps_a_first_stage_and_it_is_no_part_of_the_identity(
    trained_bundle: Bundle, tmp_path: Path, stage: FirstStage
) -> None:
    assert find_first_stage(trained_bundle).floor >= 0.5
    shutil.copytree(trained_bundle.folder, tmp_path / "bundle")
    copy = open_bundle(tmp_path / "bundle")
    save_first_stage(copy, stage)
    again = open_bundle(tmp_path / "bundle")
    assert text_part(again).first_stage == stage
    assert again.model_id == trained_bundle.model_id


def test_a_file_without_posts_is_told_and_measured_not(whole: TextModel, tmp_path: Path) -> None:
    path, told = tmp_path / "empty.jsonl", Console(file=io.StringIO(), width=300)
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    assert on_unlabelled(whole, str(path), 10, load_taxonomy(), told) == {}
    assert f"left out {path}: no post in it" in told.file.getvalue()  # type: ignore[attr-defined]


def test_posts_that_taught_do_not_measure(whole: TextModel, tmp_path: Path) -> None:
    """An annotated post is of the same file: both readers know its label."""
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps({"id": f"u{i}", "text": f"第{i}天"}) + "\n" for i in range(9)), encoding="utf-8")
    taught = {("u1", "第1天"), ("u3", "第3天"), ("u5", "another post of that id"), ("elsewhere", "第7天")}
    assert on_unlabelled(whole, str(path), 100, load_taxonomy(), Console(quiet=True), taught)["rows"] == 7


def test_a_bundle_without_one_says_what_to_do(trained_bundle: Bundle) -> None:
    text = replace(text_part(trained_bundle), first_stage=None)
    old = Bundle(trained_bundle.folder, replace(trained_bundle.manifest, text=text))
    with pytest.raises(BundleError, match="yujing train first-stage"):
        load_text_model(old, "torch", first_stage=True)


def test_numbers_that_say_nothing_do_not_change_the_identity() -> None:
    def digest(calibration: Calibration) -> str:
        text = TextPart(encoder="e", encoder_sha256="s", adapter_rank=1, ranks=5, max_tokens=9, calibration=calibration)
        return Manifest(created_at=now(), taxonomy_sha256="t", categories=("none",), text=text).digest

    before = "2c5969"  # of a bundle that was made before there was a bias
    assert digest(Calibration())[:6] == before
    assert digest(Calibration(category_bias=(1.0,)))[:6] != before
    assert digest(Calibration(miss_cost=2.0))[:6] != before
    assert digest(Calibration(miss_by_rank=True))[:6] != before
    assert digest(Calibration(gap_power=1.2))[:6] != before


def test_a_batch_says_which_answers_the_first_stage_gave(
    tiny_scorer: Scorer, stage: FirstStage, tmp_path: Path
) -> None:
    assert tiny_scorer.text is not None
    scorer = replace(tiny_scorer, text=replace(tiny_scorer.text, first_stage=stage))
    rows = [{"id": str(number), "text": text} for number, text in enumerate([*TEXTS, TEXTS[0]])]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    summary = score_files(Job(str(source), target, window=50), Here(lambda: scorer))
    models = [json.loads(line)["model"] for line in target.read_text(encoding="utf-8").splitlines()]
    assert summary.settled == sum(model == scorer.model_id + FIRST_STAGE for model in models) > 0
    assert set(models) == {scorer.model_id, scorer.model_id + FIRST_STAGE}
    explained = scorer.score([Item(text=text, explain=True) for text in TEXTS[:3]])
    assert {result.model for result in explained} == {scorer.model_id}

"""The one inference path: aligned, free of the batch, and no item harms its neighbours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scored_items import ITEMS, TAXONOMY, VOLUME, same

from data.records import UNREAD, Item, Volume
from data.results import Result
from data.samples import sample_examples
from models.bundle import Bundle
from models.scorer import Scorer
from models.text import TextModel


@pytest.fixture(scope="module")
def results(tiny_scorer: Scorer) -> list[Result]:
    return tiny_scorer.score(ITEMS)


def test_one_result_each_with_its_own_id(tiny_scorer: Scorer, results: list[Result]) -> None:
    assert [result.id for result in results] == [item.id for item in ITEMS]
    assert {result.model for result in results} == {tiny_scorer.model_id}
    assert not any(result.error for result in results)
    assert tiny_scorer.score([]) == []


def test_what_no_model_reads_is_told_so_and_changes_no_answer(tiny_scorer: Scorer) -> None:
    item = {"platform": "微博", "published_at": datetime(2026, 5, 6, tzinfo=UTC)}
    volume = {"influencer_share": 0.5, "n_platforms": 4}
    schema = TypeAdapter(Item).json_schema()
    for record, names in ((schema, item), (schema["$defs"]["Volume"], volume)):
        told = {name for name, field in record["properties"].items() if UNREAD in str(field)}
        assert told == set(names)
    plain = Item(text=sample_examples()[0].text, volume=VOLUME)
    full = replace(plain, volume=replace(VOLUME, **volume), **item)
    assert tiny_scorer.score([full]) == tiny_scorer.score([plain])


def test_text_and_volume_each_fill_their_own_part(results: list[Result]) -> None:
    for item, result in zip(ITEMS, results, strict=True):
        assert (result.category is None) == (result.severity is None) == (item.text is None)
        assert (result.escalation is None) == (item.volume is None)
        assert result.risk is not None


def test_none_if_and_only_if_rank_zero(results: list[Result]) -> None:
    for result in results:
        if result.category and result.severity:
            assert (result.category.id == TAXONOMY.none_id) == (result.severity.rank == 0)
            assert result.severity.probabilities[0] == result.category.probabilities[TAXONOMY.none_id]
            assert result.category.id in result.category.set
            likely = [result.category.probabilities[member] for member in result.category.set]
            assert likely == sorted(likely, reverse=True)  # a cost of missing may choose another than the first
            assert sum(result.category.probabilities.values()) == pytest.approx(1, abs=1e-3)
            assert sum(result.severity.probabilities) == pytest.approx(1, abs=1e-3)


@given(texts=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_scored_or_says_why_not(tiny_scorer: Scorer, texts: list[str]) -> None:
    found = tiny_scorer.score([Item(id=str(i), text=text) for i, text in enumerate(texts)])
    assert [result.id for result in found] == [str(i) for i in range(len(texts))]
    for result in found:
        if result.error:
            assert result.error.code == "empty_text"
            assert result.risk is None
        else:
            assert result.category is not None
            assert result.severity is not None
            assert (result.category.id == TAXONOMY.none_id) == (result.severity.rank == 0)


def test_shuffled_items_get_shuffled_results(tiny_scorer: Scorer, results: list[Result]) -> None:
    order = np.random.default_rng(0).permutation(len(ITEMS))
    for place, result in zip(order, tiny_scorer.score([ITEMS[i] for i in order]), strict=True):
        same(result, results[place])


@pytest.mark.parametrize("size", [1, 7])
def test_the_batch_size_does_not_matter(tiny_scorer: Scorer, results: list[Result], size: int) -> None:
    parts = [tiny_scorer.score(ITEMS[start : start + size]) for start in range(0, len(ITEMS), size)]
    for one, two in zip([result for part in parts for result in part], results, strict=True):
        same(one, two)


@pytest.mark.parametrize(
    "text", ["😂", "。", "\ud800假货", "a" * 5000, "假" * 5000, "<s></s><pad>", "@某某 http://a.cn/b"]
)
def test_an_odd_text_is_still_a_text(tiny_scorer: Scorer, text: str) -> None:
    (result,) = tiny_scorer.score([Item(text=text, explain=True)])
    assert result.error is None
    assert result.category is not None


def test_a_text_that_is_not_legible_needs_review(tiny_scorer: Scorer) -> None:
    sure = replace(tiny_scorer, text=_sure(tiny_scorer))
    chinese, other = sure.score(
        [Item(id="a", text="物流很快"), Item(id="b", text="the phone exploded and burned my hand")]
    )
    assert (chinese.needs_review, other.needs_review) == (False, True)
    assert other.category is not None


def _sure(scorer: Scorer) -> TextModel:
    assert scorer.text is not None
    return replace(scorer.text, calibration=replace(scorer.text.calibration, review_doubt=1.0))


@pytest.mark.parametrize("text", [None, "客服一直推诿，再不退款我就投诉到底"])
def test_a_volume_of_which_nothing_is_known_raises_no_risk(tiny_scorer: Scorer, text: str | None) -> None:
    """At three in the morning a single null had 5 times the base rate, and was yellow."""
    nights = [VOLUME.as_of.replace(hour=hour) for hour in range(24)]
    volumes = [Volume(as_of=at, counts=(None,) * n) for at in nights for n in (1, 6)]
    volumes += [Volume(as_of=at, counts=(900.0, None, None, None), interval_minutes=15) for at in nights]
    found = tiny_scorer.score([Item(text=text, volume=volume) for volume in volumes])
    assert max(one.escalation.lift for one in found if one.escalation) > 1
    assert {one.escalation.lift_band for one in found if one.escalation} == {"none"}
    for one in found:
        plain = tiny_scorer.policy.assess(
            one.category.id if one.category else None,
            one.severity.rank if one.severity else None,
            None,
            [signal.id for signal in one.signals],
            tiny_scorer.taxonomy,
        )
        assert one.risk == plain
        assert "没有声量数据，升级可能性未知" in plain.reasons


def test_evidence_is_given_where_it_is_asked_for(tiny_scorer: Scorer) -> None:
    text = "这家店卖的是假货，商家拒绝退款，我要向12315投诉"
    plain, explained = tiny_scorer.score([Item(text=text), Item(text=text, explain=True)])
    assert plain.evidence == ()
    same(replace(explained, evidence=()), plain)
    assert all(text[word.start : word.end] == word.text for word in explained.evidence)


def test_signals_and_watch_words_lie_in_the_callers_text(tiny_bundle: Bundle) -> None:
    scorer = Scorer.load(tiny_bundle.folder, threads=1, watch_words=["青禾超市"])
    text = "青禾超市卖假货，我要向１２３１５投诉"
    (result,) = scorer.score([Item(text=text)])
    assert {"watch_word", "regulator_involved"} & {signal.id for signal in result.signals}
    for signal in result.signals:
        assert all(text[word.start : word.end] == word.text for word in signal.words)
    assert result.risk is not None


def test_both_fp32_engines_give_the_same_results(tiny_bundle: Bundle) -> None:
    onnx, torch = (Scorer.load(tiny_bundle.folder, engine=name, threads=1).score(ITEMS) for name in ("onnx", "torch"))
    for one, two in zip(onnx, torch, strict=True):
        same(one, two)


def test_an_answer_names_the_band_that_its_lift_counts_in(tiny_scorer: Scorer) -> None:
    volumes = [Volume(as_of=VOLUME.as_of, counts=tuple(float(n * k) for n in range(1, 9))) for k in (1, 4, 20)]
    for one in tiny_scorer.score([Item(volume=volume) for volume in volumes]):
        assert one.escalation is not None
        band = tiny_scorer.policy.bands[tiny_scorer.policy.band(one.escalation.lift, one.escalation.crossed)]
        assert one.escalation.lift_band == band.id

"""Evidence: words of the caller's own text, strongest first, weighing together what their removal costs, and cheap."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logit

from data.results import Word
from data.samples import sample_examples
from models.batching import padded_length
from models.bundle import Bundle
from models.engine_build import load_text_model
from models.evidence import TOP, content, evidence, without
from models.text import TextModel
from training.evaluate_engine import CountingEngine

TEXTS = [example.text for example in sample_examples()[::9]]


@pytest.fixture(scope="module")
def model(tiny_bundle: Bundle) -> TextModel:
    return load_text_model(tiny_bundle, "torch", threads=1)


def log_odds(model: TextModel, text: str, category: int) -> float:
    return float(logit(np.clip(model.predict([text]).category[0, category], 1e-6, 1 - 1e-6)))


def probability(model: TextModel, text: str, category: int) -> float:
    return float(model.predict([text]).category[0, category])


@given(text=st.text("假货退款投诉官方旗舰店 @https://t.cn/a1，。！😡１ａ\u200b\n", min_size=1, max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_positions_are_of_the_callers_text(model: TextModel, text: str) -> None:
    for found in evidence(model, text, 3, probability(model, text, 3)):
        assert text[found.start : found.end] == found.text
        assert any(char.isalnum() for char in found.text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("假货 http://t.cn/A6x1b2C3", ["假货"]),
        ("@某某客服 假货 t.cn/a1", ["假货"]),
        ("网址 假货", ["网址", "假货"]),  # the word itself
        ("看网址 http://a.cn/b", ["看", "网址"]),
        ("假\u200b货退款", ["假\u200b货", "退款"]),  # nobody sees it
        ("ＡＰＰ退款１２３元", ["ＡＰＰ", "退款", "１２３", "元"]),
        ("送外賣的羅先生，現在很可愛", ["送", "外賣", "的", "羅先生", "現在", "很", "可愛"]),
        ("假货㍿很多", ["假货", "㍿", "很多"]),  # two words of one character
        ("㎏假货👨\u200d👩\u200d👧👍🏽投诉1️⃣", ["㎏", "假货", "投诉", "1"]),
        ("气死了死了！！！！！！假货", ["气死", "了", "死", "了", "假货"]),
    ],
)
def test_what_the_model_does_not_read_is_no_evidence(text: str, wanted: list[str]) -> None:
    assert [word.text for word in content(text)] == wanted


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_weights_add_up_to_what_the_category_loses_without_the_words(model: TextModel, text: str) -> None:
    chosen = int(model.predict([text]).chosen[0])
    found = evidence(model, text, chosen, probability(model, text, chosen))
    assert len(found) <= TOP
    assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)
    assert all(one.weight > 0 for one in found)
    assert len({one.text for one in found}) == len(found)
    if found:
        lost = log_odds(model, text, chosen) - log_odds(model, without(text, found), chosen)
        assert sum(one.weight for one in found) == pytest.approx(lost, abs=5e-3)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_evidence_costs_less_than_five_plain_passes(model: TextModel, text: str) -> None:
    engine = CountingEngine(model.engine)
    found = evidence(replace(model, engine=engine), text, 3, 0.5)
    most = 5 if len(found) > 1 else 5 + TOP  # one word, or none: after the sets single words were tried
    assert engine.tokens < most * padded_length(len(model.tokens.encode([text])[0]))


def test_of_a_short_text_every_set_is_tried(model: TextModel) -> None:
    text = "售后客服拒绝退款"  # four words: each set of three is affordable
    chosen = int(model.predict([text]).chosen[0])
    found = evidence(model, text, chosen, probability(model, text, chosen))
    lost = [
        log_odds(model, text, chosen) - log_odds(model, without(text, one), chosen)
        for one in combinations(content(text), 3)
    ]
    assert len(lost) == 4
    assert sum(one.weight for one in found) == pytest.approx(max(*lost, 0), abs=5e-3)


def test_where_no_set_is_missed_the_word_that_is_is_told(model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    says = {"投诉": 1.0, "好评": -5.0, "满意": -5.0}

    def log_odds(_: TextModel, texts: list[str], __: int) -> np.ndarray:
        return np.array([sum(odds for word, odds in says.items() if word in text) for text in texts])

    monkeypatch.setattr("models.evidence._log_odds", log_odds)
    found = evidence(model, "投诉，好评，满意", 3, float(1 / (1 + np.exp(9))))
    assert [(one.text, one.start, one.weight) for one in found] == [("投诉", 0, 1.0)]
    monkeypatch.setitem(says, "投诉", -1.0)
    assert evidence(model, "投诉，好评，满意", 3, float(1 / (1 + np.exp(11)))) == ()


def test_a_run_of_thousands_of_digits_is_no_word() -> None:
    assert [word.text for word in content("损失" + "9" * 4_000 + "元")] == ["损失", "元"]
    assert [word.text for word in content("单号" + "9" * 40)] == ["单号", "9" * 40]


def test_nothing_is_taken_out_twice() -> None:
    text = "假货，退款，假货"
    assert without(text, [Word("退款", 3, 5), Word("假货", 0, 2)]) == "，，假货"
    assert without(text, []) == text


@pytest.mark.parametrize("text", ["假货", "！！！", "😡", " 假货 ", "假货，假货"])
def test_a_text_of_one_word_has_nothing_to_leave_out(model: TextModel, text: str) -> None:
    assert evidence(model, text, 3, probability(model, text, 3)) == ()

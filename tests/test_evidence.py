"""Evidence: words of the caller's own text, strongest first, each weighing what its removal costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logit

from data.samples import sample_examples
from data.words import words
from models.bundle import Bundle
from models.engine_build import load_text_model
from models.evidence import TOP, evidence
from models.text import TextModel

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


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_weight_is_the_log_odds_that_the_word_gave(model: TextModel, text: str) -> None:
    chosen = int(model.predict([text]).chosen[0])
    whole = log_odds(model, text, chosen)
    found = evidence(model, text, chosen, probability(model, text, chosen))
    assert len(found) <= TOP
    assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)
    for one in found:
        rest = text[: one.start] + text[one.end :]
        assert one.weight == pytest.approx(whole - log_odds(model, rest, chosen), abs=2e-3)
        assert one.weight >= 0


@pytest.mark.parametrize("text", TEXTS[:6], ids=range(6))
def test_no_other_word_weighs_more(model: TextModel, text: str) -> None:
    chosen = int(model.predict([text]).chosen[0])
    whole = log_odds(model, text, chosen)
    found = evidence(model, text, chosen, probability(model, text, chosen))
    least = found[-1].weight if len(found) == TOP else 0
    told = {(one.start, one.end) for one in found}
    for word in words(text):
        if (word.start, word.end) not in told and any(char.isalnum() for char in word.text):
            drop = whole - log_odds(model, text[: word.start] + text[word.end :], chosen)
            assert drop <= least + 2e-3


@pytest.mark.parametrize("text", ["假货", "！！！", "😡", " 假货 "])
def test_a_text_of_one_word_has_nothing_to_leave_out(model: TextModel, text: str) -> None:
    assert evidence(model, text, 3, probability(model, text, 3)) == ()

"""Traditional characters become simplified ones in their places; simplified text stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.perturb import perturb
from data.samples import sample_examples
from data.signals import SignalLexicon
from data.simplify import KEPT, simplify


def test_a_worked_example() -> None:
    assert simplify("買到假貨，客服說不給退款，我要去消協投訴！") == "买到假货，客服说不给退款，我要去消协投诉！"


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("我在這區的銀行趕著辦卡，老闆說幾天後纔有", "我在这区的银行赶著办卡，老板说几天后才有"),
        ("送進醫院搶救，屍體的狀況", "送进医院抢救，尸体的状况"),
        ("裏面説綫路壞了，衆人遊行", "里面说线路坏了，众人游行"),
        ("贗品、誹謗、行賄受賂、挑釁", "赝品、诽谤、行贿受赂、挑衅"),
        ("餿水、潰瘍、鎘超標、痙攣", "馊水、溃疡、镉超标、痉挛"),
    ],
)
def test_common_characters_are_known_with_their_variants(traditional: str, simplified: str) -> None:
    assert simplify(traditional) == simplified


def test_simplified_text_stays() -> None:
    for text in [example.text for example in sample_examples()] + ["著名品牌", "乾坤", "薰衣草", "二噁英", *KEPT]:
        assert simplify(text) == text


@given(st.text())
def test_positions_stay_and_once_is_enough(text: str) -> None:
    assert len(simplify(text)) == len(text)
    assert simplify(simplify(text)) == simplify(text)


def test_it_undoes_what_the_perturbation_does() -> None:
    for seed, example in enumerate(sample_examples()):
        undone = simplify(perturb(example.text, "traditional", seed))
        differing = {new for old, new in zip(example.text, undone, strict=True) if old != new}
        assert differing <= KEPT


def test_signals_are_found_in_traditional_text_in_the_callers_characters() -> None:
    [signal] = SignalLexicon.load().find("已經提起訴訟")
    assert (signal.id, signal.words[0].text, signal.words[0].start) == ("legal_action", "提起訴訟", 2)


def test_signals_know_a_hospital_in_traditional_text() -> None:
    lexicon = SignalLexicon.load()
    for text in ("吃完进医院，银行的人报警", "吃完進醫院，銀行的人報警"):
        assert [signal.id for signal in lexicon.find(text)] == ["injury_reported", "legal_action"]


@pytest.mark.parametrize("injury", ["男子自縊", "全身蕁麻疹"])
def test_signals_know_an_injury_in_traditional_text(injury: str) -> None:
    assert [signal.id for signal in SignalLexicon.load().find(injury)] == ["injury_reported"]

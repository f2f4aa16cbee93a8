"""A post among others: it stays whole, the whole has the length that was drawn, chance decides where it stands."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.samples import sample_examples
from data.surround import LENGTHS, surrounded

ORDINARY = [row.text for row in sample_examples() if row.severity == 0]
TEXT = "孩子喝了这个奶粉上吐下泻，住院三天了"


@given(st.text(max_size=400), st.integers(0, 10**6))
def test_the_text_stays_whole_within_the_length(text: str, seed: int) -> None:
    whole = surrounded(text, ORDINARY, Random(seed))
    assert text in whole
    assert len(whole) <= max(LENGTHS[1] + len(ORDINARY), len(text))


def test_a_short_text_gets_others_on_both_sides_and_in_any_order() -> None:
    places = [surrounded(TEXT, ORDINARY, Random(seed)).index(TEXT) for seed in range(100)]
    wholes = [surrounded(TEXT, ORDINARY, Random(seed)) for seed in range(100)]
    assert min(map(len, wholes)) > len(TEXT) + 20
    assert any(place == 0 for place in places)
    assert any(whole.endswith(TEXT) for whole in wholes)
    assert any(0 < place < len(whole) - len(TEXT) for place, whole in zip(places, wholes, strict=True))


def test_the_others_stand_as_sentences_of_their_own() -> None:
    for seed in range(50):
        whole = surrounded("退款还没到", ["今天天气真好"], Random(seed))
        assert whole.replace("\n", "。").replace("。 ", "。") in (
            "今天天气真好。退款还没到",
            "退款还没到。今天天气真好",
        )


@pytest.mark.parametrize("others", [[], ["长" * 400]])
def test_without_others_that_fit_it_stays_as_it_is(others: list[str]) -> None:
    assert surrounded(TEXT, others, Random(0)) == TEXT


def test_a_long_text_stays_as_it_is() -> None:
    assert surrounded("长" * 400, ORDINARY, Random(0)) == "长" * 400

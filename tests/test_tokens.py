"""Texts as ids: long ones keep head and tail, specials survive, a row does not depend on its batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.normalise import normalise
from data.respell import readable
from data.samples import sample_examples
from models.encoder import load_encoder
from models.tokens import HEAD_SHARE, Tokens, truncate

TEXTS = [example.text for example in sample_examples()]


@pytest.fixture(scope="module")
def tokens(tiny_encoder: str) -> Tokens:
    return Tokens(load_encoder(tiny_encoder).tokenizer.backend_tokenizer, 32)


def test_golden_truncation() -> None:
    assert truncate(list(range(12)), 8) == [0, 1, 2, 3, 4, 5, 10, 11]


@given(st.lists(st.integers(), max_size=60), st.integers(8, 40))
def test_head_and_tail_stay_and_nothing_else(ids: list[int], limit: int) -> None:
    found = truncate(ids, limit)
    assert len(found) == min(len(ids), limit)
    if len(ids) <= limit:
        assert found == ids
    else:
        head = int(limit * HEAD_SHARE)
        assert found[:head] == ids[:head]
        assert found[head:] == ids[-(limit - head) :]


def test_specials_stand_around_every_text(tokens: Tokens) -> None:
    start, end = (tokens.tokenizer.token_to_id(token) for token in ("<s>", "</s>"))
    for ids in tokens.encode([*TEXTS, "很" * 900, "", "😂"]):
        assert (ids[0], ids[-1]) == (start, end)
        assert 2 <= len(ids) <= 32


def test_a_row_does_not_depend_on_its_batch(tokens: Tokens) -> None:
    assert tokens.encode(TEXTS) == [tokens.encode([text])[0] for text in TEXTS]


def test_texts_are_normalised_first(tokens: Tokens) -> None:
    odd = "假\u200b货，投诉１２３１５！！！！！！ https://t.cn/abc"
    assert tokens.encode([odd]) == tokens.encode([normalise(odd).text])
    assert len(tokens.encode([odd])[0]) < len(odd)


def test_a_long_text_keeps_its_demand_at_the_end(tokens: Tokens) -> None:
    (ids,) = tokens.encode(["很" * 500 + "退款"])
    assert ids[-3:-1] == tokens.encode(["退款"])[0][-3:-1]


def test_a_text_is_cut_where_its_ids_are_more_than_the_limit(tokens: Tokens) -> None:
    texts = [*TEXTS, "很" * 3, "", *("退款" * half for half in range(10, 20)), "😂" * 40]
    ids = [tokens.tokenizer.encode(readable(text)).ids for text in texts]
    cut = tokens.cut(texts)
    assert cut == [len(one) > tokens.limit for one in ids]
    assert {True, False} <= {*cut}
    assert tokens.cut([]) == []


def test_pad_and_mask_are_found_by_either_name(tokens: Tokens) -> None:
    assert tokens.pad == 1
    assert tokens.mask == tokens.tokenizer.token_to_id("<mask>")

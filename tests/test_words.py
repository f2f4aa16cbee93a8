"""Laws of the word cutter: words tile the text, an own dictionary stays own, nothing of a text is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.words import cut, jieba, make_tokenizer, words

KNOWN = st.sampled_from("起诉说一起黑猫投诉A1 ，\n😀")
TEXTS = st.text(st.one_of(KNOWN, st.characters(exclude_categories=["Cs"])), max_size=40)


@settings(deadline=None)  # the dictionary is read once
@given(TEXTS)
def test_words_lie_where_they_say_and_tile_the_text(text: str) -> None:
    found = words(text)
    assert all(text[word.start : word.end] == word.text for word in found)
    assert all(left.end == right.start for left, right in pairwise(found))
    assert "".join(word.text for word in found) == text


@pytest.fixture(scope="module")
def whole() -> tuple[dict[str, int], int]:
    """The dictionary as jieba reads it."""
    found: tuple[dict[str, int], int] = jieba.Tokenizer.gen_pfdict(jieba.Tokenizer().get_dict_file())
    return found


def test_the_dictionary_is_the_one_that_jieba_builds(whole: tuple[dict[str, int], int]) -> None:
    tokenizer = make_tokenizer()
    tokenizer.learn("".join({word[0] for word in whole[0]}))
    assert (tokenizer.FREQ, tokenizer.total) == whole


def test_only_words_that_a_text_may_hold_are_read() -> None:
    tokenizer = make_tokenizer()
    assert tokenizer.FREQ == {}
    cut("退款", tokenizer)
    assert {word[0] for word in tokenizer.FREQ} == {*"退款"}


@settings(deadline=None)
@given(st.lists(st.text(st.one_of(KNOWN, st.characters(min_codepoint=0x4E00, max_codepoint=0x4FFF)), max_size=20)))
def test_texts_are_cut_as_with_the_whole_dictionary(whole: tuple[dict[str, int], int], texts: list[str]) -> None:
    theirs, extra = jieba.Tokenizer(), "黑猫一起诉说"
    theirs.FREQ, theirs.total, theirs.initialized = dict(whole[0]), whole[1], True
    theirs.add_word(extra)
    ours = make_tokenizer([extra])
    for text in texts:
        assert [word.text for word in cut(text, ours)] == list(theirs.cut(text))


def test_no_text_has_no_words() -> None:
    assert words("") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一起诉说往事", ["一起", "诉说", "往事"]),
        ("消费者起诉商家", ["消费者", "起诉", "商家"]),
        ("我要退款", ["我要", "退款"]),
    ],
)
def test_worked_examples(text: str, expected: list[str]) -> None:
    assert [word.text for word in words(text)] == expected


def test_an_extra_word_is_kept_whole_and_only_by_its_own_tokenizer() -> None:
    text, brand = "我买了星星牌洗衣机", "星星牌洗衣机"
    assert brand not in [word.text for word in words(text)]
    assert brand in [word.text for word in cut(text, make_tokenizer([brand]))]
    assert brand not in [word.text for word in words(text)]

"""A user's own words: which of them is told, and which are refused."""

from __future__ import annotations

import pytest

from data.errors import ConfigError
from data.signals import SignalLexicon


@pytest.mark.parametrize(
    ("words", "text", "longest"),
    [
        (["小米", "小米手机"], "我的小米手机14坏了", "小米手机"),
        (["5G", "5G套餐"], "办了5g套餐", "5g套餐"),
        (["abc", "abc def"], "买abc def的", "abc def"),
    ],
)
def test_of_watch_words_at_one_place_the_longest_is_told(words: list[str], text: str, longest: str) -> None:
    [signal] = SignalLexicon.load(watch_words=words).find(text)
    assert [word.text for word in signal.words] == [longest]


@pytest.mark.parametrize("word", ["www.taobao.com", "jd.com/p", "@李佳琦", "网址http://a.cn/b"])
def test_a_watch_word_that_posts_hold_masked_only_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=f"'{word}' holds a link or an @name"):
        SignalLexicon.load(watch_words=["星星牌", word])


def test_a_watch_word_that_is_named_as_a_mask_is_none() -> None:
    assert SignalLexicon.load(watch_words=["網址"]).find("网址打不开")[0].words[0].text == "网址"


@pytest.mark.parametrize(("word", "text"), [("用户", "@张三 东西不错，会再来"), ("网址", "看 http://t.cn/abc 这个")])
def test_a_watch_word_is_not_found_in_a_mask(word: str, text: str) -> None:
    lexicon = SignalLexicon.load(watch_words=[word])
    assert lexicon.find(text) == ()
    [signal] = lexicon.find(f"{text}，{word}说的")
    assert [(found.text, found.start) for found in signal.words] == [(word, len(text) + 1)]


def test_without_watch_words_none_is_found() -> None:
    assert SignalLexicon.load().find("星星牌ABC") == ()

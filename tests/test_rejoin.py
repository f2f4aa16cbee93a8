"""Split words: whole again with their places, and nothing else moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.rejoin import rejoin

PIECES = st.lists(st.sampled_from([*"投诉到底15a ·*-./", "\ufe0f\u20e3", "\u20e3"]), max_size=20).map("".join)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("投 诉 到 底", "投诉到底"),
        ("要投 诉 到 底了", "要投诉到底了"),
        ("起·诉", "起诉"),
        ("1 2 3 1 5见", "12315见"),
        ("1\ufe0f\u20e32\u20e3", "12"),
    ],
)
def test_worked_examples(text: str, whole: str) -> None:
    found = rejoin(text)
    assert found is not None
    assert found.text == whole
    assert found.span(0, len(whole)) == (0, len(text))


@pytest.mark.parametrize("text", ["", "投诉到底", "一起 诉说", "12 315", "12 3 15", "3.1.5", "a b c", "投  诉", "- -"])
def test_most_texts_are_whole(text: str) -> None:
    assert rejoin(text) is None


@given(PIECES)
def test_what_is_left_stands_where_it_stood(text: str) -> None:
    found = rejoin(text)
    if found is None:
        return
    assert len(found.text) < len(text)
    assert len(found.text) == len(found.starts) == len(found.ends)
    for at, character in enumerate(found.text):
        span = found.span(at, at + 1)
        start, end = found.starts[at], found.ends[at]
        assert text[start] == character
        assert span is None or text[start + 1 : end].strip("\ufe0f\u20e3") == ""
    assert all(left <= right for left, right in zip(found.ends, found.starts[1:], strict=False))


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    text = "投·" * 50_000
    found = rejoin(text)
    assert found is not None
    assert len(found.text) == 50_001

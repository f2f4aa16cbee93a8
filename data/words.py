"""Chinese words with their places, by jieba; an own tokenizer instance, so that no one else's dictionary is touched."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from io import TextIOWrapper
from typing import Any

from data.results import Word

with warnings.catch_warnings():  # jieba 0.42 asks for pkg_resources and for escapes that Python now warns of
    warnings.simplefilter("ignore")
    import jieba


def make_tokenizer(extra: Sequence[str] = ()) -> Any:
    """A tokenizer with a user dictionary of `extra` words.

    jieba would read its dictionary from a file of its own in the shared temporary folder, which anyone may have
    written; it is built from the packaged dictionary instead, once a process (0.35 s, 60 MB; a copy shares its words).
    """
    tokenizer, (frequencies, total) = jieba.Tokenizer(), _packaged()
    tokenizer.FREQ, tokenizer.total = dict(frequencies) if extra else frequencies, total
    tokenizer.initialized = True
    for word in extra:
        tokenizer.add_word(word)
    return tokenizer


@cache
def _packaged() -> tuple[dict[str, int], int]:
    """The packaged dictionary with the beginnings of its words, and the sum of its frequencies; not to be changed.

    As `Tokenizer.gen_pfdict` makes it, in two thirds of its time: a beginning that is there has its own there too.
    """
    found: dict[str, int] = {}
    total = 0
    with TextIOWrapper(jieba.Tokenizer().get_dict_file(), "utf-8") as lines:
        for line in lines:
            word, digits, _ = line.split(" ", 2)
            found[word] = count = int(digits)
            total += count
            length = len(word) - 1
            while length and (beginning := word[:length]) not in found:
                found[beginning] = 0
                length -= 1
    return found, total


@cache
def _plain() -> Any:
    return make_tokenizer()


def cut(text: str, tokenizer: Any) -> list[Word]:
    """All words of a text in order; together they are the text."""
    return [Word(word, start, end) for word, start, end in tokenizer.tokenize(text)]


def words(text: str) -> list[Word]:
    """Words of a text by the packaged dictionary alone."""
    return cut(text, _plain())


def is_word(text: str) -> bool:
    """Whether the packaged dictionary lists it."""
    return bool(_plain().FREQ.get(text))


def singles(text: str) -> set[int]:
    """Places of a text's characters that belong to no word of the packaged dictionary but themselves."""
    found = _plain().tokenize(text, HMM=False)  # the hidden Markov model would make words of what is none
    return {start for _, start, end in found if end - start == 1}


def known_share(text: str) -> float:
    """Share of a text's words (two or more letters) that the packaged dictionary lists; 1 where there is no word."""
    tokenizer = _plain()
    found = [word for word in tokenizer.cut(text) if len(word) > 1 and word.isalpha()]
    return sum(word in tokenizer.FREQ for word in found) / len(found) if found else 1.0

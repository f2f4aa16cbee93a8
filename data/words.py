"""Chinese words with their places, by jieba; an own tokenizer instance, so that no one else's dictionary is touched."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.results import Word

with warnings.catch_warnings():  # jieba 0.42 asks for pkg_resources and for escapes that Python now warns of
    warnings.simplefilter("ignore")
    import jieba


class Tokenizer(jieba.Tokenizer):  # type: ignore[misc]
    """jieba's, which reads of its dictionary only the words that begin with a character of the texts that it is given.

    No other word can be found in them. The whole, as jieba reads it, takes 0.35 s of each start and 60 MB; and it would
    come from a file in the shared temporary folder, which anyone may have written.
    """

    def __init__(self, extra: Sequence[str] = ()) -> None:
        super().__init__()
        self.FREQ, self.total, self.initialized = dict[str, int](), _dictionary().total, True
        self._begun = set[str]()
        for word in extra:
            self.add_word(word)

    def learn(self, text: str) -> None:
        """Read what begins with the characters of a text; in any number of threads, as it comes out the same."""
        for character in {*text} - self._begun:
            self.FREQ.update(_begin_with(character))
            self._begun.add(character)

    def cut(self, sentence: str, *given: Any, **named: Any) -> Any:
        """jieba's, by which all of its other ways cut, too."""
        self.learn(sentence)
        return super().cut(sentence, *given, **named)


def make_tokenizer(extra: Sequence[str] = ()) -> Tokenizer:
    """A tokenizer with a user dictionary of `extra` words."""
    return Tokenizer(extra)


@dataclass(frozen=True, slots=True)
class _Dictionary:
    """The packaged one: lines of word, frequency and part of speech, where those of each first character stand, and the
    sum of the frequencies."""

    text: str
    runs: Mapping[str, Sequence[slice]]
    total: int


@cache
def _dictionary() -> _Dictionary:
    with jieba.Tokenizer().get_dict_file() as file:
        text = file.read().decode()
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    starts = np.flatnonzero(np.append(10, codes[:-1]) == 10)  # after each end of a line
    changes = starts[np.flatnonzero(np.diff(codes[starts], prepend=0))]
    runs: dict[str, list[slice]] = {}
    for start, end in pairwise([*changes.tolist(), len(text)]):
        runs.setdefault(text[start], []).append(slice(start, end))
    return _Dictionary(text, runs, _sum(codes))


def _sum(codes: NDArray[np.uint32]) -> int:
    """The sum of what stands between the two spaces of each line, digit by digit (as texts in ten times the time)."""
    before, after = np.flatnonzero(codes == ord(" ")).reshape(-1, 2).T
    total, place = 0, 1
    while len(digits := codes[(after - place)[after - place > before]]):
        total += 10 ** (place - 1) * int((digits - ord("0")).sum())
        place += 1
    return total


@cache
def _begin_with(character: str) -> dict[str, int]:
    """The words that begin with a character, and their beginnings (0, unless they are words); not to be changed.

    As `Tokenizer.gen_pfdict` makes it, in two thirds of its time: a beginning that is there has its own there too.
    """
    found: dict[str, int] = {}
    whole = _dictionary()
    for run in whole.runs.get(character, ()):
        for line in whole.text[run].rstrip("\n").split("\n"):
            word, digits, _ = line.split(" ", 2)
            found[word] = int(digits)
            length = len(word) - 1
            while length and (beginning := word[:length]) not in found:
                found[beginning] = 0
                length -= 1
    return found


@cache
def _plain() -> Tokenizer:
    return make_tokenizer()


def cut(text: str, tokenizer: Tokenizer) -> list[Word]:
    """All words of a text in order; together they are the text."""
    return [Word(word, start, end) for word, start, end in tokenizer.tokenize(text)]


def words(text: str) -> list[Word]:
    """Words of a text by the packaged dictionary alone."""
    return cut(text, _plain())


def is_word(text: str) -> bool:
    """Whether the packaged dictionary lists it."""
    tokenizer = _plain()
    tokenizer.learn(text[:1])
    return bool(tokenizer.FREQ.get(text))


def singles(text: str) -> set[int]:
    """Places of a text's characters that belong to no word of the packaged dictionary but themselves."""
    found = _plain().tokenize(text, HMM=False)  # the hidden Markov model would make words of what is none
    return {start for _, start, end in found if end - start == 1}


def known_share(text: str) -> float:
    """Share of a text's words (two or more letters) that the packaged dictionary lists; 1 where there is no word."""
    tokenizer = _plain()
    found = [word for word in tokenizer.cut(text) if len(word) > 1 and word.isalpha()]
    return sum(word in tokenizer.FREQ for word in found) / len(found) if found else 1.0

"""Signals: attributes that a lexicon finds in a post, each with the words that show it and their places."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from string import digits
from typing import Any

from data.normalise import Normalised, hidden, names_after_han, normalise
from data.rejoin import rejoin
from data.results import Signal, Word
from data.signals_table import (
    COUNT,
    HAN_DIGITS,
    WATCH_WORD,
    any_of,
    figures_of,
    key_of,
    lower,
    names_of,
    owners,
    read_signals,
    spelt,
    table_key,
)
from data.simplify import simplify
from data.words import cut, make_tokenizer

INSIDE = re.compile("[A-Za-z0-9]{2}")  # no border lies within: 12315 is no word of 8812315
LONG = 4  # characters of a dictionary's word from which it holds others: 人民法院 is a 法院, but 发烧友 is no 发烧
CLAUSE = 12  # characters before a word in which its negation may begin
JOINED = frozenset(("、", "或", "或者", "及", "以及", "和"))  # between words that one negation may negate
TOLD = re.compile(rf" ?[0-9{HAN_DIGITS}]")  # after a word that is told, whatever stands before it: 重伤5人
ZERO = re.compile("(?<![0-9.:])0")  # before a word: 0伤亡


@dataclass(frozen=True)
class SignalLexicon:
    """The compiled lexicon; `find` is all that it does."""

    names: dict[str, str]
    joined: Set[str]  # signals with a negation that goes on
    owner: dict[str, str]  # word -> signal id; what is said figuratively has none
    nested: dict[str, tuple[str, ...]]  # word or figure -> itself and the words that it begins with, longest first
    pattern: re.Pattern[str]
    watch: re.Pattern[str] | None
    negated: re.Pattern[str]
    tokenizer: Any

    @classmethod
    def load(cls, path: Path | None = None, watch_words: Sequence[str] = ()) -> SignalLexicon:
        """Read a lexicon (default: the packaged one) and add a user's watch words; ConfigError for a faulty file."""
        table = read_signals(path)
        no, between, affirming = (
            any_of([table_key(word) for word in words]) for words in (table.negation, table.between, table.affirming)
        )
        owner = owners(table)
        figures = figures_of(table, owner)
        watched = [key for word in watch_words if (key := key_of(word))]
        return cls(
            names=names_of(table),
            joined={entry.id for entry in table.signal if entry.joined},
            owner=owner,
            nested={word: _beginnings(word, owner) for word in (*owner, *figures)},
            pattern=re.compile(f"(?=({spelt([*owner, *figures])}))"),
            watch=re.compile(_watch_pattern(watched)) if watched else None,
            negated=re.compile(rf"(?:{affirming}|(?P<no>{no}))(?:{between})*"),
            tokenizer=make_tokenizer([*(word for word in owner if not word.startswith(COUNT)), *watched]),
        )

    def find(self, text: str) -> tuple[Signal, ...]:
        """Signals of a text in the lexicon's order; words lie in the caller's own characters.

        What only an @name or the placeholder of a link or an @name holds is none.
        """
        normal = normalise(text)
        lowered = simplify(lower(normal.text))
        whole = [*self._lexicon(lowered)]
        words = sorted([*whole, *self._split(lowered, whole)], key=lambda word: word[1])
        seen = [*words, *self._watched(lowered)]
        masked = [*hidden(normal), *names_after_han(normal)] if seen else []
        found: dict[str, list[Word]] = {}
        for signal, start, end in seen:
            if not any(start < right and left < end for left, right in masked):
                found.setdefault(signal, []).append(_back(text, normal, start, end))
        return tuple(Signal(signal, tuple(found[signal])) for signal in self.names if signal in found)

    def _lexicon(self, text: str) -> Iterator[tuple[str, int, int]]:
        candidates = list(self.pattern.finditer(text))
        if not candidates:  # most posts: no need to cut them
            return
        found = cut(text, self.tokenizer)
        borders = {0, *(word.end for word in found if not INSIDE.match(text, word.end - 1, word.end + 1))}
        held = [word for word in found if len(word.text) >= LONG and not word.text.isascii()]
        last = denied = 0
        for match in candidates:
            start = match.start()
            if start < last or not (word := self._whole(start, match[1], borders, held)):
                continue
            last = start + len(word)  # also of what is negated or figurative: the words inside are as well
            if signal := self._signal(word):
                joined = signal in self.joined
                if self._is_negated(text, start, borders) or (joined and _is_joined(text, denied, start, last)):
                    denied = last if joined else 0
                else:
                    yield signal, start, last

    def _split(self, text: str, whole: Sequence[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
        """Words that a writer split (起·诉), but for what overlaps with the words that stand whole."""
        if (joined := rejoin(text)) is None:
            return
        taken = {place for _, start, end in whole for place in range(start, end)}
        for signal, start, end in self._lexicon(joined.text):
            if (span := joined.span(start, end)) and taken.isdisjoint(range(*span)):
                yield signal, *span

    def _signal(self, word: str) -> str | None:
        """The signal that a word of the text shows; None of what is figurative."""
        return self.owner.get(word) or self.owner.get(COUNT + word.lstrip(f"{digits}{HAN_DIGITS} "))

    def _whole(self, start: int, longest: str, borders: Set[int], held: Sequence[Word]) -> str:
        """The longest word that is whole at a place, or "": 新闻记者从 is no 记者从, but 记者; a figure always is."""
        for word in self.nested.get(longest, (longest,)):
            if not self._signal(word) or _is_whole(start, start + len(word), borders, held):
                return word
        return ""

    def _watched(self, text: str) -> Iterator[tuple[str, int, int]]:
        for match in self.watch.finditer(text) if self.watch else ():
            yield WATCH_WORD, *match.span()

    def _is_negated(self, text: str, start: int, borders: Set[int]) -> bool:
        places = (place for place in range(max(0, start - CLAUSE), start) if place in borders)
        first = next(filter(None, (self.negated.fullmatch(text, place, start) for place in places)), None)
        return first is not None and first["no"] is not None


def _is_joined(text: str, denied: int, start: int, end: int) -> bool:
    """Whether what is negated until `denied` goes on in the word, or none of it is told (0伤亡)."""
    goes_on = denied > 0 and text[denied:start] in JOINED and not TOLD.match(text, end)
    return goes_on or bool(ZERO.fullmatch(text, start - 1, start))


def _beginnings(word: str, words: Container[str]) -> tuple[str, ...]:
    return word, *(word[:end] for end in range(len(word) - 1, 0, -1) if word[:end] in words)


def _is_whole(start: int, end: int, borders: Set[int], held: Sequence[Word]) -> bool:
    """Whether a place begins and ends at borders, or is the head or the tail of a long word of the dictionary."""
    if {start, end} <= borders:
        return True
    around = (word for word in held if word.start <= start and end <= word.end)
    return any(start == word.start or end == word.end for word in around)


def _watch_pattern(words: Sequence[str]) -> str:
    """Words that are not plain ASCII count anywhere, since Chinese has no spaces; of several at a place the longest."""
    plain, han = (any_of([word for word in words if word.isascii() is ascii]) or r"(?!)" for ascii in (True, False))
    return rf"{han}|(?<![a-z0-9])(?:{plain})(?![a-z0-9])"


def _back(text: str, normal: Normalised, start: int, end: int) -> Word:
    begin, finish = normal.span(start, end)
    return Word(text[begin:finish], begin, finish)

"""Signals: attributes that a lexicon finds in a post, each with the words that show it and their places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from string import digits
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from data.errors import ConfigError
from data.normalise import LINK, MENTION, Normalised, hidden, normalise
from data.results import Signal, Word
from data.rim import read_table
from data.simplify import simplify
from data.words import cut, make_tokenizer

DEFAULT_PATH = Path(__file__).parent / "signals.toml"
WATCH_WORD = "watch_word"  # id of the signal that a user's own words make
INSIDE = re.compile("[A-Za-z0-9]{2}")  # no border lies within: 12315 is no word of 8812315
COUNT = "0"  # begins a word of the table that any whole number begins in a post: 0死 is 6死 and 13死
HAN_DIGITS = "一二两三四五六七八九十百"
# In Han, or with a space behind it, only where it must be a count (致三死两伤): 九死一生, 一死了之, 买了10 死都不退款.
NUMBER = (
    f"(?:(?<![0-9])[1-9][0-9]*|(?<=[致成])[{HAN_DIGITS}]+|(?<![{HAN_DIGITS}])[{HAN_DIGITS}]+(?=死[{HAN_DIGITS}]+伤)"
    f"|(?<=死)[{HAN_DIGITS}]+(?=伤)"
    r"|(?:(?<=[致成])|(?<=[致成] ))[1-9][0-9]* |(?<![0-9])[1-9][0-9]* (?=死 ?[0-9]+ ?伤)|(?<=死 )[1-9][0-9]* (?=伤))"
)
LONG = 4  # characters of a dictionary's word from which it holds others: 人民法院 is a 法院, but 发烧友 is no 发烧
CLAUSE = 12  # characters before a word in which its negation may begin
JOINED = frozenset(("、", "或", "或者", "及", "以及", "和"))  # between words that one negation may negate
TOLD = re.compile(rf" ?[0-9{HAN_DIGITS}]")  # after a word that is told, whatever stands before it: 重伤5人
ZERO = re.compile("(?<![0-9.:])0")  # before a word: 0伤亡

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


_STRICT = ConfigDict(extra="forbid")  # a misspelt `figurative` would hide no word, unsaid


@dataclass(frozen=True, slots=True)
class _Entry:
    __pydantic_config__ = _STRICT

    id: str
    name: str
    words: Words
    joined: bool = False  # whether the negation of one of its words counts for those that JOINED joins to it


@dataclass(frozen=True, slots=True)
class _Table:
    __pydantic_config__ = _STRICT

    negation: Words
    between: Words
    affirming: Words
    signal: tuple[_Entry, ...]
    figurative: tuple[Annotated[str, Field(min_length=1)], ...] = ()


def _read(path: Path | None) -> _Table:
    path = path or DEFAULT_PATH
    table = read_table(_Table, path, "signals lexicon")
    ids = Counter((WATCH_WORD, *(entry.id for entry in table.signal)))
    if twice := [key for key, times in ids.items() if times > 1]:
        raise ConfigError(f"signals lexicon {path}: id {twice[0]!r} is taken: give every signal one of its own")
    return table


def _names(table: _Table) -> dict[str, str]:
    return {entry.id: entry.name for entry in table.signal} | {WATCH_WORD: "关键词监测"}


def signal_names(path: Path | None = None) -> dict[str, str]:
    """Ids and names of all signals of a lexicon (default: the packaged one); ConfigError for a faulty file."""
    return _names(_read(path))


def _any(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


def _spelt(words: Sequence[str]) -> str:
    """Words of the table as a pattern, the longest first, those of a count after them."""
    counted = [word.removeprefix(COUNT) for word in words if word.startswith(COUNT)]
    plain = _any([word for word in words if not word.startswith(COUNT)])
    return "|".join([*([plain] if plain else []), *([f"{NUMBER}(?:{_any(counted)})"] if counted else [])])


def _lower(text: str) -> str:
    """In lower case, as long as before: a few letters (İ) change their length, and stay."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def _key(word: str) -> str:
    key, within = simplify(_lower(normalise(word).text)), simplify(normalise(f"见 {word} 见").text)
    if any(within.count(mark) > simplify(word).count(mark) for mark in (LINK, MENTION)):
        raise ConfigError(
            f"signals: {word!r} holds a link or an @name; these are masked in posts, so it would match any of them: "
            "give words as they stand in running text"
        )
    return key


def _table_key(word: str) -> str:
    """`_key`, of a word of the table: an empty one would be found at every border."""
    if key := _key(word):
        return key
    raise ConfigError(f"signals: of {word!r} normalisation leaves nothing: give words that can be read")


def _lexicon_key(word: str) -> str:
    """`_table_key`, of a word to be found."""
    if (key := _table_key(word)).startswith(COUNT) and not key[1:2].strip(digits):
        raise ConfigError(f"signals: {word!r}: a 0 at the head is any whole number: give the word behind it, like 0死")
    return key


def _owners(table: _Table) -> dict[str, str]:
    """Word -> signal id; ConfigError for a word of two signals."""
    owner: dict[str, str] = {}
    for entry in table.signal:
        words = {_lexicon_key(word): entry.id for word in entry.words}
        _refuse_shared(words.keys() & owner.keys(), f"of {entry.id} is a word of another signal, too")
        owner |= words
    return owner


def _figures(table: _Table, owner: Mapping[str, str]) -> set[str]:
    """What is said figuratively; ConfigError for a word that is a signal as well."""
    figures = {_lexicon_key(word) for word in table.figurative}
    _refuse_shared(figures & owner.keys(), "is figurative, too")
    return figures


def _refuse_shared(words: Set[str], why: str) -> None:
    if words:
        raise ConfigError(f"signals: {min(words)!r} {why}, so one of them would never be found: name it once")


def check_lexicon(path: Path | None = None) -> None:
    """ConfigError for a lexicon (default: the packaged one) that `SignalLexicon.load` would refuse; quick, with no
    tokenizer."""
    table = _read(path)
    for word in (*table.negation, *table.between, *table.affirming):
        _table_key(word)
    _figures(table, _owners(table))


def check_words(words: Sequence[str]) -> None:
    """ConfigError for one that no post can hold as it stands: a link, an @name."""
    for word in words:
        _key(word)


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
        table = _read(path)
        no, between, affirming = (
            _any([_table_key(word) for word in words]) for words in (table.negation, table.between, table.affirming)
        )
        owner = _owners(table)
        figures = _figures(table, owner)
        watched = [key for word in watch_words if (key := _key(word))]
        return cls(
            names=_names(table),
            joined={entry.id for entry in table.signal if entry.joined},
            owner=owner,
            nested={word: _beginnings(word, owner) for word in (*owner, *figures)},
            pattern=re.compile(f"(?=({_spelt([*owner, *figures])}))"),
            watch=re.compile(_watch_pattern(watched)) if watched else None,
            negated=re.compile(rf"(?:{affirming}|(?P<no>{no}))(?:{between})*"),
            tokenizer=make_tokenizer([*(word for word in owner if not word.startswith(COUNT)), *watched]),
        )

    def find(self, text: str) -> tuple[Signal, ...]:
        """Signals of a text in the lexicon's order; words lie in the caller's own characters."""
        normal = normalise(text)
        lowered = simplify(_lower(normal.text))
        found: dict[str, list[Word]] = {}
        for signal, start, end in [*self._lexicon(lowered), *self._watched(lowered, normal)]:
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

    def _signal(self, word: str) -> str | None:
        """The signal that a word of the text shows; None of what is figurative."""
        return self.owner.get(word) or self.owner.get(COUNT + word.lstrip(f"{digits}{HAN_DIGITS} "))

    def _whole(self, start: int, longest: str, borders: Set[int], held: Sequence[Word]) -> str:
        """The longest word that is whole at a place, or "": 新闻记者从 is no 记者从, but 记者; a figure always is."""
        for word in self.nested.get(longest, (longest,)):
            if not self._signal(word) or _is_whole(start, start + len(word), borders, held):
                return word
        return ""

    def _watched(self, text: str, normal: Normalised) -> Iterator[tuple[str, int, int]]:
        """Watch words, but for what only the placeholder of a link or an @name holds."""
        found = [match.span() for match in self.watch.finditer(text)] if self.watch else []
        masked = hidden(normal) if found else []
        for start, end in found:
            if not any(start < right and left < end for left, right in masked):
                yield WATCH_WORD, start, end

    def _is_negated(self, text: str, start: int, borders: Set[int]) -> bool:
        places = (place for place in range(max(0, start - CLAUSE), start) if place in borders)
        first = next(filter(None, (self.negated.fullmatch(text, place, start) for place in places)), None)
        return first is not None and first["no"] is not None


def _is_joined(text: str, denied: int, start: int, end: int) -> bool:
    """Whether what is negated until `denied` goes on in the word, or none of it is told (0伤亡)."""
    goes_on = text[denied:start] in JOINED and not TOLD.match(text, end)
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
    plain, han = (_any([word for word in words if word.isascii() is ascii]) or r"(?!)" for ascii in (True, False))
    return rf"{han}|(?<![a-z0-9])(?:{plain})(?![a-z0-9])"


def _back(text: str, normal: Normalised, start: int, end: int) -> Word:
    begin, finish = normal.span(start, end)
    return Word(text[begin:finish], begin, finish)

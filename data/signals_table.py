"""The table of signals: read from its file and checked, and its words as they are looked for in a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from string import digits
from typing import Annotated

from pydantic import ConfigDict, Field

from data.errors import ConfigError
from data.normalise import LINK, MENTION, normalise
from data.rim import read_table
from data.simplify import simplify

DEFAULT_PATH = Path(__file__).parent / "signals.toml"
WATCH_WORD = "watch_word"  # id of the signal that a user's own words make
COUNT = "0"  # begins a word of the table that any whole number begins in a post: 0死 is 6死 and 13死
HAN_DIGITS = "一二两三四五六七八九十百"
# In Han, or with a space behind it, only where it must be a count (致三死两伤): 九死一生, 一死了之, 买了10 死都不退款.
NUMBER = (
    f"(?:(?<![0-9])[1-9][0-9]*|(?<=[致成])[{HAN_DIGITS}]+|(?<![{HAN_DIGITS}])[{HAN_DIGITS}]+(?=死[{HAN_DIGITS}]+伤)"
    f"|(?<=死)[{HAN_DIGITS}]+(?=伤)"
    r"|(?:(?<=[致成])|(?<=[致成] ))[1-9][0-9]* |(?<![0-9])[1-9][0-9]* (?=死 ?[0-9]+ ?伤)|(?<=死 )[1-9][0-9]* (?=伤))"
)

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
class SignalTable:
    """What the file holds; `data/signals.toml` says what each part does."""

    __pydantic_config__ = _STRICT

    negation: Words
    between: Words
    affirming: Words
    signal: tuple[_Entry, ...]
    figurative: tuple[Annotated[str, Field(min_length=1)], ...] = ()


def read_signals(path: Path | None) -> SignalTable:
    """The table (default: the packaged one); ConfigError names the file and the place that is wrong."""
    path = path or DEFAULT_PATH
    table = read_table(SignalTable, path, "signals lexicon")
    ids = Counter((WATCH_WORD, *(entry.id for entry in table.signal)))
    if twice := [key for key, times in ids.items() if times > 1]:
        raise ConfigError(f"signals lexicon {path}: id {twice[0]!r} is taken: give every signal one of its own")
    return table


def names_of(table: SignalTable) -> dict[str, str]:
    """Name of each signal by its id, that of the watch words last."""
    return {entry.id: entry.name for entry in table.signal} | {WATCH_WORD: "关键词监测"}


def signal_names(path: Path | None = None) -> dict[str, str]:
    """Ids and names of all signals of a lexicon (default: the packaged one); ConfigError for a faulty file."""
    return names_of(read_signals(path))


def any_of(words: Sequence[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


def spelt(words: Sequence[str]) -> str:
    """Words of the table as a pattern, the longest first, those of a count after them."""
    counted = [word.removeprefix(COUNT) for word in words if word.startswith(COUNT)]
    plain = any_of([word for word in words if not word.startswith(COUNT)])
    return "|".join([*([plain] if plain else []), *([f"{NUMBER}(?:{any_of(counted)})"] if counted else [])])


def lower(text: str) -> str:
    """In lower case, as long as before: a few letters (İ) change their length, and stay."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def key_of(word: str) -> str:
    """A word as it stands in a text that is looked through; ConfigError for one that a post masks."""
    key, within = simplify(lower(normalise(word).text)), simplify(normalise(f"见 {word} 见").text)
    if any(within.count(mark) > simplify(word).count(mark) for mark in (LINK, MENTION)):
        raise ConfigError(
            f"signals: {word!r} holds a link or an @name; these are masked in posts, so it would match any of them: "
            "give words as they stand in running text"
        )
    return key


def table_key(word: str) -> str:
    """`key_of`, of a word of the table: an empty one would be found at every border."""
    if key := key_of(word):
        return key
    raise ConfigError(f"signals: of {word!r} normalisation leaves nothing: give words that can be read")


def lexicon_key(word: str) -> str:
    """`table_key`, of a word to be found."""
    if (key := table_key(word)).startswith(COUNT) and not key[1:2].strip(digits):
        raise ConfigError(f"signals: {word!r}: a 0 at the head is any whole number: give the word behind it, like 0死")
    return key


def owners(table: SignalTable) -> dict[str, str]:
    """Word -> signal id; ConfigError for a word of two signals."""
    owner: dict[str, str] = {}
    for entry in table.signal:
        words = {lexicon_key(word): entry.id for word in entry.words}
        _refuse_shared(words.keys() & owner.keys(), f"of {entry.id} is a word of another signal, too")
        owner |= words
    return owner


def figures_of(table: SignalTable, owner: Mapping[str, str]) -> set[str]:
    """What is said figuratively; ConfigError for a word that is a signal as well."""
    figures = {lexicon_key(word) for word in table.figurative}
    _refuse_shared(figures & owner.keys(), "is figurative, too")
    return figures


def _refuse_shared(words: Set[str], why: str) -> None:
    if words:
        raise ConfigError(f"signals: {min(words)!r} {why}, so one of them would never be found: name it once")


def check_lexicon(path: Path | None = None) -> None:
    """ConfigError for a lexicon (default: the packaged one) that `SignalLexicon.load` would refuse; quick, with no
    tokenizer."""
    table = read_signals(path)
    for word in (*table.negation, *table.between, *table.affirming):
        table_key(word)
    figures_of(table, owners(table))


def check_words(words: Sequence[str]) -> None:
    """ConfigError for one that no post can hold as it stands: a link, an @name."""
    for word in words:
        key_of(word)

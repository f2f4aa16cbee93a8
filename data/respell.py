"""Words in disguise as the words themselves: 头诉 as 投诉, tk as 退款. As long as before, so that positions stay.

Who writes a word by its sound hides it from a filter, not from a reader. The table says which words are meant; a
spelling counts as a disguise only where jieba's dictionary finds no word in its place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from data.errors import ConfigError
from data.rim import read_table
from data.simplify import in_simplified
from data.words import is_word, singles

DEFAULT_PATH = Path(__file__).parent / "respell.toml"
# Not in names, addresses nor sizes (2 tb).
_LATIN = re.compile(r"(?<![A-Za-z0-9@._/-])(?!(?<=[0-9] )tb)[a-z]{2,4}(?![A-Za-z0-9@_/-]|\.[A-Za-z0-9])")
_PRIVATE = 0xE000  # one character of the private use area stands for each sound


@dataclass(frozen=True, slots=True)
class _File:
    words: str
    kept: str
    initials: str
    sounds: Mapping[str, str]
    plain: str = ""
    surnames: str = ""


@dataclass(frozen=True, slots=True)
class Respelling:
    """`sounds`: code of a character -> its sound; `heard`: sounds of a word -> the word, `heads` their beginnings;
    `kept`: spellings that stay; `plain`, `surnames`: characters that disguise no other; `initials`: letters -> word."""

    sounds: Mapping[int, str]
    heard: Mapping[str, str]
    heads: Set[tuple[str, str]]
    lengths: Sequence[int]
    kept: Set[str]
    plain: Set[str]
    surnames: Set[str]
    initials: Mapping[str, str]

    def disguised(self, text: str) -> Iterator[tuple[int, str]]:
        """Places and words that a text spells by their sound, longer words first, none within another."""
        heard, last = text.translate(self.sounds), 0
        starts = [start for start, head in enumerate(pairwise(heard)) if head in self.heads]
        for start in starts:
            words = (self.heard.get(heard[start : start + length]) for length in self.lengths)
            word = next(filter(None, words), None)
            if word is None or start < last:
                continue
            last = start + len(word)
            seen = text[start:last]
            if seen != word and seen not in self.kept and self._hides(seen, word) and not is_word(seen):
                yield start, word

    def _hides(self, seen: str, word: str) -> bool:
        """Whether no character that stands for another is one that usually means itself."""
        wrong = [mine for mine, meant in zip(seen, word, strict=True) if mine != meant]
        return self.plain.isdisjoint(wrong) and not (seen[0] in self.surnames and seen[0] != word[0])

    def found(self, text: str) -> Iterator[tuple[int, str]]:
        """Places and words that are read in place of what stands there."""
        yield from _loose(text, self.disguised(text), self.surnames)
        for match in _LATIN.finditer(text):
            if match[0] in self.initials:
                yield match.start(), self.initials[match[0]]

    def __call__(self, text: str) -> str:
        new = text
        for start, word in self.found(text):
            new = new[:start] + word + new[start + len(word) :]
        return new


def _loose(text: str, places: Iterable[tuple[int, str]], surnames: Set[str]) -> Iterator[tuple[int, str]]:
    """The places, which come in order, of which jieba leaves every character alone, with no surname alone before them.

    It cuts the Chinese around them, each run of it once: once a place, a post of 5,000 characters took a minute.
    """
    alone, right = set[int](), 0
    for start, word in places:
        end = start + len(word)
        if end > right:
            left, right = start, end
            while left and "\u4e00" <= text[left - 1] <= "\u9fff":
                left -= 1
            while right < len(text) and "\u4e00" <= text[right] <= "\u9fff":
                right += 1
            alone = {left + place for place in singles(text[left:right])}
        named = start - 1 in alone and text[start - 1] in surnames
        if alone.issuperset(range(start, end)) and not named:
            yield start, word


def _sounds(table: Mapping[str, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, characters in enumerate(table.values()):
        for character in characters:
            if ord(character) in found:
                raise ConfigError(f"respelling: {character} has two sounds: keep the one that it has in the words")
            found[ord(character)] = chr(_PRIVATE + place)
    return found


def _heard(words: Sequence[str], sounds: Mapping[int, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key = word.translate(sounds)
        if len(word) < 2 or any(ord(character) not in sounds for character in word):
            raise ConfigError(f"respelling: {word!r} needs two characters or more, all of them in [sounds]")
        if key in found:
            raise ConfigError(f"respelling: {word} and {found[key]} sound alike: keep one of them")
        found[key] = word
    return found


def _initials(block: str, words: Set[str]) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in block.split()]
    wrong = [f"{old}={new}" for old, _, new in pairs if len(old) != len(new) or not _LATIN.fullmatch(old)]
    strange = [new for _, _, new in pairs if new not in words]
    twice = [f"{old}=" for old, times in Counter(old for old, _, _ in pairs).items() if times > 1]
    if wrong or strange or twice:
        raise ConfigError(
            f"respelling: initials {' '.join(wrong + strange + twice)}: expected each once, as a small letter for each "
            "character of one of the words, such as tk=退款"
        )
    return {old: new for old, _, new in pairs}


@cache
def load_respelling(path: Path = DEFAULT_PATH) -> Respelling:
    """Read the table; ConfigError names the file and the entry that is wrong."""
    raw = read_table(_File, path, "table of disguised words")
    try:
        return _respelling(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _respelling(raw: _File) -> Respelling:
    sounds, words = _sounds(raw.sounds), raw.words.split()
    heard = _heard(words, sounds)
    return Respelling(
        sounds=sounds,
        heard=heard,
        heads={(key[0], key[1]) for key in heard},
        lengths=sorted({len(word) for word in words}, reverse=True),
        kept={*raw.kept.split()},
        plain={*raw.plain},
        surnames={*raw.surnames.strip()},
        initials=_initials(raw.initials, {*words}),
    )


def respell(text: str) -> str:
    """A normalised, simplified text with its disguised words spelt out; as long as before."""
    return load_respelling()(text)


def readable(text: str) -> str:
    """A post as the models read it: normalised, simplified, disguised words spelt out."""
    return respell(in_simplified(text))

"""Perturbations: a post as another hand would write it; its meaning, amounts, negations, links and mentions stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from random import Random

from data.errors import ConfigError
from data.perturb_tables import load_tables, outside
from data.records import MAX_TEXT

Perturbation = Callable[[str, Random, float], str]


def _rewrite(text: str, pattern: re.Pattern[str], change: Callable[[str], str], random: Random, rate: float) -> str:
    """Change the share `rate` of what `pattern` finds, left to right, while the text has room within MAX_TEXT."""
    room = MAX_TEXT - len(text)
    pieces, last = [], 0
    for match in pattern.finditer(text):
        if match["untouched"] is not None or random.random() >= rate:
            continue
        new = change(match[0])
        growth = len(new) - len(match[0])
        if growth <= max(room, 0):
            pieces += [text[last : match.start()], new]
            room, last = room - growth, match.end()
    return "".join([*pieces, text[last:]])


def _other_forms(name: str, text: str, random: Random, rate: float) -> str:
    """Words and characters of a table in one of their other forms."""
    table = load_tables().words[name]
    return _rewrite(text, table.pattern, lambda old: random.choice(table.forms[old]), random, rate)


@cache
def _neighbours() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A Han character before another one; pairs of them."""
    loose = load_tables().loose
    return outside(f"{loose}(?={loose})"), outside(f"{loose}{loose}")


def inserted_symbols(text: str, random: Random, rate: float) -> str:
    """假*货, 假 货, 假、货: a symbol between two Han characters."""
    symbols = load_tables().symbols
    return _rewrite(text, _neighbours()[0], lambda old: old + random.choice(symbols), random, rate)


def _wrong_shape(pair: str, random: Random) -> str:
    """One of the two as a character of like shape, where the table knows one."""
    wrong = random.choice(pair)
    return pair.replace(wrong, random.choice(load_tables().like_shapes.get(wrong, (wrong,))), 1)


SLIPS: tuple[Callable[[str, Random], str], ...] = (
    lambda pair, _: pair[::-1],
    lambda pair, _: pair[0],
    lambda pair, _: pair + pair[1],
    _wrong_shape,
    _wrong_shape,
)


def typos(text: str, random: Random, rate: float) -> str:
    """Slips in pairs of Han characters: swapped, one dropped, one doubled, one of like shape."""
    return _rewrite(text, _neighbours()[1], lambda pair: random.choice(SLIPS)(pair, random), random, rate)


def long_copy(text: str, random: Random, rate: float) -> str:
    """A copy on its way: @mention, hashtag head, the text again, forwarding tail, link; `rate` is each one's chance."""
    copies, whole = load_tables().copies, text
    for options in (copies.mention, copies.head):
        whole = _with_room(_some(options, random, rate) + whole, whole)
    for options in ((f" {text}",), copies.tail, copies.link):
        whole = _with_room(whole + _some(options, random, rate), whole)
    return whole


def _some(options: Sequence[str], random: Random, rate: float) -> str:
    return random.choice(options) if random.random() < rate else ""


def _with_room(longer: str, text: str) -> str:
    return longer if len(longer) <= MAX_TEXT else text


PERTURBATIONS: dict[str, Perturbation] = {
    "homophones": partial(_other_forms, "homophones"),
    "split_characters": partial(_other_forms, "split_characters"),
    "pinyin_initials": partial(_other_forms, "pinyin_initials"),
    "emoji_for_words": partial(_other_forms, "emoji_for_words"),
    "full_width": partial(_other_forms, "full_width"),
    "half_width": partial(_other_forms, "half_width"),
    "traditional": partial(_other_forms, "traditional"),
    "inserted_symbols": inserted_symbols,
    "typos": typos,
    "long_copy": long_copy,
}


def perturb(text: str, name: str, seed: int, rate: float | None = None) -> str:
    """One perturbed copy, the same for the same arguments; `rate` (0-1) defaults to the table's.

    ConfigError for a name that is not in PERTURBATIONS.
    """
    if name not in PERTURBATIONS:
        raise ConfigError(f"unknown perturbation {name!r}: use one of {', '.join(PERTURBATIONS)}")
    random = Random(f"{seed}/{name}/{text}".encode("utf-8", "surrogatepass"))
    return PERTURBATIONS[name](text, random, load_tables().rates[name] if rate is None else rate)


def all_perturbed(texts: Sequence[str], name: str, seed: int) -> list[str]:
    """A perturbed copy of each text; none depends on its neighbours."""
    return [perturb(text, name, seed) for text in texts]

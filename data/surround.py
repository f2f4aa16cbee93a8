"""A post in the midst of ordinary ones: what a long text does to the one matter in it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

Lengths = tuple[int, int]
LENGTHS: Lengths = (100, 320)  # characters of the whole: longer than most posts, and hardly ever cut at 256 tokens
OVERLONG: Lengths = (500, 900)  # more than a model of 256 tokens reads at once
ENDS = "。！？!?…~～；;"
BREAKS = ("", "\n", " ")


def surrounded(text: str, ordinary: Sequence[str], random: Random, lengths: Lengths = LENGTHS) -> str:
    """`text` whole, between as many of the `ordinary` texts as make a length that is drawn from `lengths`.

    Each one stands before or after it by chance; a text of that length stays as it is, as does one without others.
    """
    wanted = random.randint(*lengths)
    before: list[str] = []
    after: list[str] = []
    room = wanted - len(text)
    for other in random.sample(ordinary, min(len(ordinary), wanted)):
        if len(other) < room:
            random.choice((before, after)).append(other)
            room -= len(other) + 1
        elif room < lengths[0] // 4:
            break
    return _joined([*before, text, *after], random.choice(BREAKS))


def _joined(parts: Sequence[str], space: str) -> str:
    """The parts as sentences after one another: each one but the last ends as a sentence or a line does."""
    ended = [part if part[-1:] in ENDS or space == "\n" else f"{part}。" for part in parts[:-1]]
    return space.join([*ended, parts[-1]])

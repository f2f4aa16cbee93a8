"""Traditional characters as simplified ones, one for one: the model was taught on simplified text."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from data.normalise import normalise
from data.perturb_tables import load_tables

MORE = Path(__file__).parent / "simplify.toml"  # what the perturbation does not write

# also written in simplified text, with another meaning: 著名, 乾坤, 瞭望, 藉口, 摺
KEPT = frozenset("著乾瞭藉摺徵夥")


@cache
def _table() -> dict[int, str]:
    forms = load_tables().words["traditional"].forms
    words = [(new, old) for new, olds in forms.items() for old in olds]
    # words of the table have as many characters in both forms
    pairs = {theirs: ours for new, old in words for ours, theirs in zip(new, old, strict=True)}
    pairs |= {pair[0]: pair[1] for pair in tomllib.loads(MORE.read_text(encoding="utf-8"))["pairs"].split()}
    return {ord(old): new for old, new in pairs.items() if old not in KEPT and old not in forms}


def simplify(text: str) -> str:
    """The text with simplified characters; as long as before, so that positions stay."""
    return text.translate(_table())


def in_simplified(text: str) -> str:
    """A post normalised, in simplified characters."""
    return simplify(normalise(text).text)

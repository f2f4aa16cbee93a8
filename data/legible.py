"""Whether a text is one that the models can read: mostly Chinese, neither another language nor wrongly decoded."""

from __future__ import annotations

import re

from data.normalise import hidden, normalise

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LOST = "\ufffd"  # what a decoder writes where it finds no character
_LOST_AS_GBK = "锟斤拷"  # two of them, read as GBK
_SHARE = 0.5  # of the letters that cannot be read, from which a text is illegible
_FEW = 4  # such letters are no text yet: ありが, é, ʕ•ᴥ•ʔ
_LATIN = 8  # letters without any Han: a sentence of another language, no name of a brand
_MOJIBAKE = 6  # Han that are UTF-8 read as GBK (閫€娆…): two can be so by chance, 联通 is


def is_legible(text: str) -> bool:
    """False for a text that is mostly of letters neither Han nor Latin, Latin alone, or the ruins of a wrong decoding.

    The models answer such a text as surely as another, mostly with none.
    """
    lost = text.count(_LOST) + 2 * text.count(_LOST_AS_GBK)
    seen = normalise(text.replace(_LOST_AS_GBK, ""))
    own = _without(seen.text, hidden(seen))
    letters = [one for one in own if one.isalpha()]
    han = sum(map(bool, map(_HAN.match, letters)))
    foreign = lost + sum(not one.isascii() for one in letters) - han
    if foreign >= _FEW and foreign >= _SHARE * (len(letters) + lost):
        return False
    return len(letters) < _LATIN if han == 0 else not _is_mojibake(own, han)


def _without(text: str, places: list[tuple[int, int]]) -> str:
    for start, end in reversed(places):
        text = text[:start] + text[end:]
    return text


def _is_mojibake(text: str, han: int) -> bool:
    """Whether the bytes that GBK writes for a text are those of a text in UTF-8."""
    if han < _MOJIBAKE:
        return False
    whole = text.encode("gbk", "ignore").decode("utf-8", "replace")
    return len(_HAN.findall(whole)) >= _MOJIBAKE // 2 and whole.count("\ufffd") <= len(whole) // 4

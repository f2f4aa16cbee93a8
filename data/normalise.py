"""Text normalisation with a way back: every span of the normalised text maps to characters of the caller's text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from data.leftovers import BUTTON, ENTITY, INVISIBLE, LABEL, MAY_HOLD, REFRAIN, TAG, decoded, may_repeat, thrice

LINK = "网址"
MENTION = "@用户"

# NFKC maps each of these to one character whatever stands beside it, so the map stays the identity.
_SAFE = r"\t\n\r -~\u00b7\u2010-\u2016\u2018-\u2022\u3000-\u3029\u4e00-\u9fff\uff01-\uff5e\uffe5\U0001f300-\U0001faff"
_PLAIN = re.compile(f"[{_SAFE}]*")
_CLUSTER = re.compile(f"[{_SAFE}]?(?=[\u0300-\u036f\u20d0-\u20ff\u3099\u309a])[^{_SAFE}]+|[^{_SAFE}]+|[{_SAFE}]")
_ODD = re.compile(r"[\t\n\r@]|  |^ | $|://|www\.|[\w-]\.\w+/|([^\d\s])\1{3}", re.IGNORECASE)

_REPEAT = re.compile(r"([^\d\s])\1{3,}")
_LINK = re.compile(
    r"(?:(?:https?|ftp)://|www\.|(?<![\w.@-])(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,6}/)"
    r"[!-~]*[\w/#=&%~+-](?<=[!-~])",
    re.IGNORECASE,
)
# A name must end at a delimiter: "@某某客服你们怎么…" without one would swallow the complaint.
# The end of a sentence is none for a long one in Han: "@某某旗舰店卖的面霜是假货！" was all a name.
_MENTION = re.compile(
    r"(?<![\w.@-])@(?:[\w·-]{1,7}|[a-z0-9_·-]{8,20})(?![\w·.-])|(?<![\w.@-])@[\w·-]{8,20}(?=[\s:@)/]|$)",
    re.IGNORECASE,
)
_GRIEVANCE = re.compile("假货|退款|退钱|还钱|还我|血汗钱|食物中毒|吃死|死人|骗子|骗钱")  # hardly of a long name
_COMPLAINT = re.compile(  # said of somebody; with a mark of a sentence after it hardly a name: "@某某咖啡喝出虫子！"
    "喝出|吃出|蟑螂|老鼠|虫子|退钱|退款|还钱|还我钱|欠薪|拖欠|工资|假货|跑路|骗钱|骗人|中毒|拉肚子"
)
_LONG = 8  # characters of a name, with its @, beyond which it may well be none
_AFTER_HAN = re.compile(r"(?<=[\u4e00-\u9fff])@[\w·-]{1,20}(?=[\s:]|$)")
_HIDDEN = re.compile(f"{LINK}|{MENTION}")
_STOPS = ("!", "?", "。", "~", "…")  # end a sentence, not a name
_CLAUSE_ENDS = (*_STOPS, ",")
_SAYS = re.compile(r"[^\W_]")
_SPACE = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text; its character i stands for characters `starts[i]` to `ends[i]` of the caller's text."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Characters of the caller's text behind `text[start:end]`; an empty span maps to an empty span."""
        if start < end:
            return self.starts[start], self.ends[end - 1]
        at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
        return at, at


_Piece = Callable[[re.Match[str]], str]


def _rewrite(pattern: re.Pattern[str], piece: _Piece, old: Normalised) -> Normalised:
    """Replace every match; each character that comes out stands for the whole match."""
    text, starts, ends, last = [], list[int](), list[int](), 0
    for match in pattern.finditer(old.text):
        start, end = match.span()
        new = piece(match)
        if new == match[0]:
            continue
        text += [old.text[last:start], new]
        starts += [*old.starts[last:start], *[old.starts[start]] * len(new)]
        ends += [*old.ends[last:start], *[old.ends[end - 1]] * len(new)]
        last = end
    if last == 0:
        return old
    text.append(old.text[last:])
    return Normalised("".join(text), [*starts, *old.starts[last:]], [*ends, *old.ends[last:]])


def _nfkc(old: Normalised) -> Normalised:
    """NFKC; characters that compose with a neighbour ("e" + accent) share that cluster's span."""
    whole = unicodedata.normalize("NFKC", old.text)
    if whole == old.text:
        return old
    if _PLAIN.fullmatch(old.text):
        return Normalised(whole, old.starts, old.ends)
    singles = [unicodedata.normalize("NFKC", character) for character in old.text]
    if "".join(singles) == whole:
        starts = [start for start, single in zip(old.starts, singles, strict=True) for _ in single]
        ends = [end for end, single in zip(old.ends, singles, strict=True) for _ in single]
        return Normalised(whole, starts, ends)
    new = _rewrite(_CLUSTER, lambda match: unicodedata.normalize("NFKC", match[0]), old)
    return new if new.text == whole else _composed(whole, new)


def _composed(text: str, old: Normalised) -> Normalised:
    """The text with the old one's map; from the first to the last place where they differ all shares one span."""
    head = _shared(old.text, text)
    tail = _shared(old.text[head:][::-1], text[head:][::-1])
    width, end = len(text) - head - tail, len(old.text) - tail
    starts = [*old.starts[:head], *[old.starts[head]] * width, *old.starts[end:]]
    return Normalised(text, starts, [*old.ends[:head], *[old.ends[end - 1]] * width, *old.ends[end:]])


def _shared(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _space(match: re.Match[str]) -> str:
    return " " if match.start() > 0 and match.end() < len(match.string) else ""


def _entities(old: Normalised) -> Normalised:
    """Entities as what they stand for, also those that appear then."""
    while (new := _rewrite(ENTITY, decoded, old)) is not old:
        old = new
    return old


def _refrains(old: Normalised) -> Normalised:
    return _rewrite(REFRAIN, thrice, old) if may_repeat(old.text) else old


def _mentions(old: Normalised) -> Normalised:
    """Names to placeholders, but for those that accuse, and for one without which the post would say nothing.

    "@某某奶茶喝了食物中毒进医院" and "@某店卖变质奶粉" are all name by their form; "@某局 @某台" are names.
    """
    new = _rewrite(_MENTION, _named, old)
    if _SAYS.search(_HIDDEN.sub("", new.text)):
        return new
    found = [*_MENTION.finditer(old.text)]
    return old if len(found) == 1 and (len(found[0][0]) > _LONG or old.text[found[0].end() :][:1] in _STOPS) else new


def _named(name: re.Match[str]) -> str:
    if name.string[name.end() : name.end() + 1] in _CLAUSE_ENDS:
        accuses = _COMPLAINT.search(name[0])
    else:
        accuses = _GRIEVANCE.search(name[0]) if len(name[0]) > _LONG else None
    return name[0] if accuses else MENTION


_links = partial(_rewrite, _LINK, lambda _: LINK)
_STEPS = (
    partial(_rewrite, INVISIBLE, lambda match: match["keep"] or ""),
    _entities,  # before links, which would swallow them
    partial(_rewrite, TAG, lambda _: " "),
    partial(_rewrite, BUTTON, lambda _: " "),
    partial(_rewrite, LABEL, lambda _: LINK),
    _links,  # before NFKC as well: it makes ASCII of the full-width comma that ends a link
    _nfkc,
    partial(_rewrite, _REPEAT, lambda match: match[1] * 3),
    _refrains,
    _links,
    _mentions,
    partial(_rewrite, _SPACE, _space),
)


def hidden(seen: Normalised) -> list[tuple[int, int]]:
    """Places of a normalised text that are placeholders, not words of the caller's."""
    found = [match.span() for match in _HIDDEN.finditer(seen.text)]
    return [(start, end) for start, end in found if seen.starts[start] == seen.starts[end - 1]]


def names_after_han(seen: Normalised) -> list[tuple[int, int]]:
    """Places of names that stand right after Han, which the models read as they are: 回复@某某:"""
    return [match.span() for match in _AFTER_HAN.finditer(seen.text)]


def normalise(text: str) -> Normalised:
    """NFKC, what is invisible and HTML out, links and @mentions to placeholders, repeats to 3, one space; idempotent.

    Han, emoji (with their joiners) and every digit stay: 100000 is never shortened. No character becomes more than 6.
    """
    identity = range(len(text)), range(1, len(text) + 1)
    if _PLAIN.fullmatch(text):
        plain = unicodedata.normalize("NFKC", text)
        if not (
            _ODD.search(plain) or MAY_HOLD.search(plain) or may_repeat(plain)
        ):  # two posts in three; 5 µs for 60 characters
            return Normalised(plain, *identity)
    new = Normalised(text, *identity)
    while True:  # a step can make work for another (网网网 + link = 网网网网址); two rounds are usual
        old = new
        for step in _STEPS:
            new = step(new)
        if new.text == old.text:
            return new

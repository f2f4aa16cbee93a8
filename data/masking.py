"""Masking of personal identifiers: the masked text has the caller's length, so every position stays what it was."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Span:
    """An identifier of the caller's text: `text[start:end]`, in characters."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Masked:
    """A text of the same length with `*` for what identifies a person; nothing outside the spans is changed."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """Group 1 of the pattern is the identifier; `keep` says how much of its two ends stays, None leaves it all."""

    kind: str
    keep: tuple[int, int] | None
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]


def _rule(kind: str, keep: tuple[int, int] | None, pattern: str, valid: Callable[[str], bool] = bool) -> _Rule:
    return _Rule(kind, keep, re.compile(pattern, re.IGNORECASE | re.ASCII), valid)


def _is_date(digits: str) -> bool:
    try:
        return bool(date.fromisoformat(digits))
    except ValueError:
        return False


def _is_id_card(number: str) -> bool:
    """GB 11643: a birthday that exists, and check digit number 18 by ISO 7064 MOD 11-2."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return _is_date(number[6:14]) and number[17].upper() == "10X98765432"[total % 11]


def _is_bank_card(number: str) -> bool:
    """Luhn: every second digit from the right counts double, crosswise."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (doubled + sum(map(int, number[::-2]))) % 10 == 0


# Always one character for one: decimal digits of any script, full-width ASCII, dashes; what is invisible is a gap.
_FOLD = {
    **{code: str(unicodedata.decimal(chr(code))) for code in range(0x80, 0x1FC00) if chr(code).isdecimal()},
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) != "＊"},
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys([0xA0, 0xAD, *range(0x2000, 0x2010), 0x202F, 0x2060, 0x20E3, 0x3000, 0xFE0F, 0xFEFF], " "),
}
_GAPS = " -()·•."
_NO_GAPS = dict.fromkeys(map(ord, _GAPS))
_TRIGGER = re.compile("[0-9@信vw]", re.IGNORECASE)  # no identifier is without one of these

_GAP = r"[ -]{0,3}"
_AREA = r"10|2[0-57-9]"
_LOCAL = r"(?:[2-8]\d{6,7}|[ ()-]{1,3}[2-8]\d{2,3}[ -]{0,3}\d{4})"
_REGION = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9\d)\d{4}"
_GROUPS = r"[3-69]\d{3}(?:[ -]{1,2}\d{4}){3}"
_PLATE = "[a-hj-np-z0-9]"
_LINK = r"(?:[账帐]号|号码?|id|[是为: =-])"
_WECHAT = r"(?:微信|薇信|v信|(?<![a-z0-9])(?:weixin|wechat|vx|wx))"
_NAME = "([a-z][a-z0-9_-]{5,})"  # the whole run: with an upper limit, the stars of one name would uncover the next
_NO_COUNT = r"(?!\d|[年月日元块万亿人名次个条]|\.\d)"

# What a rule keeps of one number must not complete a neighbour of its own form, or stars uncover one after the other.
# The longest match wins, of equals the upper row. An 11-digit mobile is one even after 订单号: better one too many.
_RULES = (
    _rule("mobile", (3, 4), rf"(?<!\d)(?:(?:\+|00)?86{_GAP}|0(?=1\d{{10}}))?"
     rf"(1[3-9]\d(?:{_GAP}\d{{4}}{_GAP}\d{{4}}|\d[ -]{{1,3}}\d{{3}}[ -]{{1,3}}\d{{4}}|\.\d{{4}}\.\d{{4}})"
     r"|1(?P<gap>[ -]{1,3})[3-9](?:(?P=gap)\d){9})(?!\d)"),
    _rule("hotline", None, r"(?<!\d)([48]00[ -]?(?:\d{3}[ -]?\d{4}|\d{4}[ -]?\d{3})|95\d{3,4}|1(?:00|2\d)\d\d)(?!\d)"),
    _rule("id_card", (3, 1), rf"(?<!\d)({_REGION}{_GAP}(?:18|19|20)\d{{6}}{_GAP}\d{{3}}[\dx])(?!\d)", _is_id_card),
    _rule("order", None, r"(?:订单|单号|编号|流水号?|交易号)[号是为: #-]{0,4}[a-z]{0,4}(\d{12,64})(?!\d)"),
    _rule("id_card", (3, 1), rf"(?<!\d)({_REGION}\d{{9}})(?!\d)", lambda number: _is_date(f"19{number[6:12]}")),
    _rule("bank_card", (4, 4), r"(?<!\d)([3-69]\d{15,18}|[3-69]\d{5}[ -]\d{10,13})(?!\d)", _is_bank_card),
    _rule("bank_card", (4, 4), rf"(?<!\d)({_GROUPS})(?!\d)", _is_bank_card),
    _rule("bank_card", (4, 4), rf"(?<!\d)({_GROUPS}[ -]{{1,2}}\d{{1,3}})(?!\d)", _is_bank_card),
    _rule("landline", (3, 2), rf"(?<!\d)(0(?:{_AREA}){_LOCAL})(?!\d)"),
    _rule("landline", (4, 2), rf"(?<!\d)(0[3-9]\d{{2}}{_LOCAL})(?!\d)"),
    _rule("landline", (2, 2), rf"(?<!\d)(?:\+|00)86{_GAP}((?:{_AREA}|[3-9]\d{{2}}){_LOCAL})(?!\d)"),
    _rule("email", (1, 0), r"(?<!\w)(?<!\w[.+-])(\w(?:[\w.+-]{0,62}\w)?@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})"),
    _rule("plate", (2, 1), rf"([京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][a-hj-np-z][ ·•.-]?"
     rf"(?=(?:[a-z]{{0,2}}\d){{3}})"  # 新mate60 is a telephone, but not its number
     rf"(?:{_PLATE}{{4}}(?:{_PLATE}|[挂学警港澳领使])|[a-hjk]{_PLATE}\d{{4}}|\d{{5}}[a-hjk]))(?![a-z0-9])"),
    _rule("passport", (2, 2), rf"护照{_LINK}{{0,4}}(e[a-hj-np-z]\d{{7}}|[eg]\d{{8}})(?!\d)"),
    _rule("qq", (2, 1), rf"(?:(?<![a-z0-9])qq|加我?q|扣扣|企鹅号){_LINK}{{0,4}}([1-9]\d{{4,11}}){_NO_COUNT}"),
    _rule("wechat", (1, 1), rf"(?:{_WECHAT}|加我?v){_LINK}{{0,4}}([1-9]\d{{5,10}}){_NO_COUNT}"),
    _rule("wechat", (1, 1), rf"{_WECHAT}{_LINK}{{0,4}}(?=[a-z-]{{1,19}}[0-9_]){_NAME}"),
    _rule("wechat", (1, 1), rf"{_WECHAT} ?(?:[账帐]号|号码?|id|[:=]){_LINK}{{0,4}}{_NAME}"),
    _rule("wechat", (1, 1), rf"加我?(?:[微薇v]信{_LINK}{{0,4}}|(?:weixin|wechat|vx|wx|v){_LINK}{{1,4}}){_NAME}"),
)  # fmt: skip


def _star(text: str, places: Iterable[int]) -> str:
    characters = list(text)
    for place in places:
        characters[place] = "*"
    return "".join(characters)


def _find(text: str) -> list[tuple[_Rule, Span]]:
    """The identifiers of a folded text, none overlapping another."""
    if not _TRIGGER.search(text):
        return []
    hits = [
        (rule, Span(rule.kind, *match.span(1)))
        for rule in _RULES
        for match in rule.pattern.finditer(text)
        if rule.valid(match[1].translate(_NO_GAPS))
    ]
    taken, found = bytearray(len(text)), []
    for rule, span in sorted(hits, key=lambda hit: hit[1].start - hit[1].end):  # stable: rows break the ties
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            found.append((rule, span))
    return [(rule, span) for rule, span in found if rule.keep]


def _hidden(text: str, rule: _Rule, span: Span) -> list[int]:
    """Where the stars go: not on gaps, nor from an @ on, nor on the two ends the rule keeps unless they are all."""
    number = text[span.start : span.end].partition("@")[0]
    places = [span.start + place for place, character in enumerate(number) if character not in _GAPS]
    head, tail = rule.keep or (0, 0)
    return places[head : len(places) - tail] or places


def _merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, overlapping ones as one of the longest's kind."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start < merged[-1].end:
            last = merged.pop()
            longest = max(last, span, key=lambda one: one.end - one.start)
            span = Span(longest.kind, last.start, max(last.end, span.end))
        merged.append(span)
    return tuple(merged)


def mask(text: str) -> Masked:
    """Star out what identifies a person, so that 138****5678 stays readable; idempotent, linear in the text."""
    view, spans, stars = text.translate(_FOLD), list[Span](), set[int]()
    while found := _find(view):  # a star can uncover another identifier (the digits after an @); two rounds are usual
        new = {place for rule, span in found for place in _hidden(view, rule, span)}
        view, stars = _star(view, new), stars | new
        spans += [span for _, span in found]
    return Masked(_star(text, stars), _merge(spans))

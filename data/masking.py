"""Masking of personal identifiers: the masked text has the caller's length, so every position stays what it was."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from data.masking_rules import HAN, RULES, Rule
from data.simplify import simplify


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


# Always one character for one: decimal digits of any script, full-width ASCII, dashes. What is invisible is a gap, and
# so is a tab or the end of a line: a form that was copied has 微信号 on one line and the name on the next.
_FOLD = {
    **{code: str(unicodedata.decimal(chr(code))) for code in range(0x80, 0x1FC00) if chr(code).isdecimal()},
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) != "＊"},
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys([*range(0x09, 0x0E), 0x85, 0xA0, 0xAD, *range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F], " "),
    **dict.fromkeys([0x2060, 0x20E3, 0x3000, 0xFE0F, 0xFEFF], " "),
}
# ①③⑧… and ¹³⁸… are digits only where several stand in a row: one alone numbers a list.
_ENCLOSED = {
    code: str(unicodedata.digit(chr(code)))
    for code in range(0x80, 0x1FC00)
    if chr(code).isdigit() and not chr(code).isdecimal()
}
_ROW = re.compile(rf"(?:[{''.join(map(chr, _ENCLOSED))}][ -]?){{7,}}")
_GAPS = " -()·•./"
_NO_GAPS = dict.fromkeys(map(ord, _GAPS))
# No identifier is without one of these.
_TRIGGER = re.compile(rf"[0-9@信微薇vw❤]|#[a-z]|at ?[)\] ]|艾特|[{HAN}]{{3}}", re.IGNORECASE)


def _star(text: str, places: Iterable[int]) -> str:
    characters = list(text)
    for place in places:
        characters[place] = "*"
    return "".join(characters)


def _find(text: str) -> list[tuple[Rule, Span]]:
    """The identifiers of a folded text, none overlapping another."""
    if not _TRIGGER.search(text):
        return []
    hits = [
        (rule, Span(rule.kind, *match.span(1)))
        for rule in RULES
        for match in rule.pattern.finditer(text)
        if rule.valid(match[1].translate(_NO_GAPS))
    ]
    taken, found = bytearray(len(text)), []
    for rule, span in sorted(hits, key=lambda hit: hit[1].start - hit[1].end):  # stable: rows break the ties
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            found.append((rule, span))
    return [(rule, span) for rule, span in found if rule.keep]


def _hidden(text: str, rule: Rule, span: Span) -> list[int]:
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
    folded = _ROW.sub(lambda row: row[0].translate(_ENCLOSED), text.translate(_FOLD))
    view, spans, stars = simplify(folded), list[Span](), set[int]()
    while found := _find(view):  # a star can uncover another identifier (the digits after an @); two rounds are usual
        new = {place for rule, span in found for place in _hidden(view, rule, span)}
        view, stars = _star(view, new), stars | new
        spans += [span for _, span in found]
    return Masked(_star(text, stars), _merge(spans))

"""What HTML and platforms leave in a text that was copied: entities, tags, labels of links; and what fills a page."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

_EMOJI = (
    r"[\u00a9\u00ae\u2190-\u21ff\u2300-\u23ff\u2500-\u27ff\u2900-\u297f\u2b00-\u2bff\u3030\u303d"
    r"\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
# With them the two ligatures that NFKC writes out as 18 and 8 characters: 16 long posts of these took 24 s.
INVISIBLE = re.compile(
    rf"(?P<keep>{_EMOJI}\ufe0f?(?:\u200d(?={_EMOJI}))?|[#*0-9]\ufe0f?\u20e3)"
    r"|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\ue000-\uf8ff"
    r"\U000e0000-\U000e0fff\U000f0000-\U0010ffff\ufdfa\ufdfb]+"
)
# Whatever an "&" was escaped to, how often it may be (&amp;amp;lt;), is read at once: a round each would take long.
ENTITY = re.compile(
    r"&(?:(?:amp|#0*38|#x0*26);)*(?:([a-z][a-z0-9]{1,30}|#\d{1,9}|#x[0-9a-f]{1,8});|nbsp(?![a-z=]))", re.IGNORECASE
)
_NAMES = "br|hr|p|div|span|a|img|font|strong|em|b|i|u|ul|ol|li|table|tbody|tr|td|th|h[1-6]|section|sub|sup|video|iframe"
TAG = re.compile(rf"</?(?:{_NAMES})(?:\s*/?|\s+[a-z-]+\s*=[^<>]{{0,500}})>", re.IGNORECASE)
# Letters are the icons of a font: "L人民日报的微博视频" is a film, "O网页链接" a link, "收起d" the button below a text.
LABEL = re.compile(r"(?<![A-Za-z0-9])(?:O网页链接|L[\w·-]{1,20}?的微博视频)")
BUTTON = re.compile(r"(?:展开(?:全文)?c|收起(?:全文)?d)(?=\s|$)|^转发微博(?=//@)")
# Each begins with a letter, which makes it fast.
MAY_HOLD = re.compile("&|<|O网页链接|的微博视频|展开c|展开全文c|收起d|收起全文d|转发微博//@")

REFRAIN = re.compile(r"([^\d\s@][^\d@]{1,7}?)\1{7,}")  # no list of @names
_PAGE = 64  # characters from which a refrain (退钱退钱…) is shortened: it would fill what the models read


def may_repeat(text: str) -> bool:
    """Whether 8 characters stand again within 8, seen at every 32nd place: no refrain of a page lies between."""
    return any(text.find(text[at : at + 8], at + 1, at + 16) > 0 for at in range(0, len(text) - 32, 32))


def thrice(refrain: re.Match[str]) -> str:
    """A refrain of a page three times, a shorter one as it is."""
    return refrain[1] * 3 if len(refrain[0]) >= _PAGE else refrain[0]


def decoded(entity: re.Match[str]) -> str:
    """The character that an entity stands for; itself where it is none, a space for what nobody sees."""
    plain = f"&{entity[1] or 'nbsp'};"
    found = next((new for name in (plain, plain.lower()) if (new := unescape(name)) != name), "")
    if not found:
        return entity[0]
    if not found.isprintable() or found.isspace():
        return " "
    if (unseen := INVISIBLE.fullmatch(found)) and not unseen["keep"]:
        return " "
    folded = unicodedata.normalize("NFKC", found)
    return folded if folded.isascii() else found

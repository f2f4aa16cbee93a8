"""Words that a writer splits (投 诉, 起·诉, 1 2 3 1 5) put together again, with a way back to where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HAN = "\u4e00-\u9fff"
_MARK = "*·・•_|/+~^-"
# One mark between two Han; one mark or space beside a character that stands alone between two of them, and beside no
# number of two digits (一起 诉说 and 12 3 15 are as they should be); the frame of a keycap.
_SPLIT = re.compile(
    rf"[.{_MARK}](?<=[{_HAN}].)(?=[{_HAN}])"
    rf"|[ {_MARK}](?<=[{_HAN}0-9].)(?<![0-9]{{2}}.)(?=[{_HAN}0-9])(?![0-9]{{2}})"
    rf"(?:(?<![\w.][{_HAN}0-9].)|(?=.(?![\w.])))"
    r"|(?P<frame>\ufe0f?\u20e3)"
)


@dataclass(frozen=True, slots=True)
class Rejoined:
    """A text without what splits its words; character i is `starts[i]` to `ends[i]` of the text that it was made of."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where `text[start:end]` stood, if it was split there."""
        first, last = self.starts[start], self.ends[end - 1]
        return (first, last) if last - first > end - start else None


def rejoin(text: str) -> Rejoined | None:
    """The text with split words whole, or None where nothing is split: most posts."""
    pieces, starts, ends, last = [], list[int](), list[int](), 0
    for match in _SPLIT.finditer(text):
        start, end = match.span()
        pieces.append(text[last:start])
        starts += range(last, start)
        ends += range(last + 1, start + 1)
        if match["frame"] and ends:
            ends[-1] = end
        last = end
    if last == 0:
        return None
    rest = range(last, len(text))
    return Rejoined("".join([*pieces, text[last:]]), [*starts, *rest], [*ends, *(place + 1 for place in rest)])

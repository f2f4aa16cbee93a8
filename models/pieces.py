"""A text of which the BERT can read the head and the tail only, in pieces that it can read whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 6  # pieces of a text that are read: 5,000 characters have 21 or more, which take as long as a hundred posts
LONGEST = 240  # characters of a piece, some 180 tokens: the shorter a text, the better a grave sentence in it is read
# A piece does not see that what it tells is denied elsewhere. One post of rank 3 or more in 140 has such a word.
_DENIAL = re.compile("辟谣|谣言|造谣|不信谣|不传谣|系谣|与事实不符|不实(?:信息|消息|言论|内容)")
_SENTENCE = re.compile(r"[^。！？!?；;…\n]*(?:[。！？!?；;…\n]+|$)")
_PAUSE = re.compile(r"[，,、：:～~\s]")

Span = tuple[int, int]


def denies(text: str) -> bool:
    """Whether a text speaks of rumours, so that a piece of it may be just what it denies."""
    return _DENIAL.search(text) is not None


def spans(text: str, longest: int = LONGEST) -> list[Span]:
    """Where the pieces of a text begin and end: whole sentences after one another, as many as fit into `longest`
    characters. Together they are the text; only a sentence that is longer than that is cut within, at a pause if it has
    one in the second half of what fits."""
    found: list[Span] = []
    for start, end in _sentences(text, longest):
        if found and end - found[-1][0] <= longest:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _sentences(text: str, longest: int) -> Iterator[Span]:
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        while end - start > longest:
            half = start + longest // 2
            pauses = [pause.end() for pause in _PAUSE.finditer(text, half, start + longest)]
            cut = pauses[-1] if pauses else start + longest
            yield start, cut
            start = cut
        if start < end:
            yield start, end

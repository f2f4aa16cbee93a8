"""A text of which the BERT can read the head and the tail only, in pieces that it can read whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 6  # pieces of a text that are read: 5,000 characters have 21, which would take as long as a hundred posts
LONGEST = 240  # characters of a piece: about 160 tokens, which read a grave sentence better than the limit of 256
_SENTENCE = re.compile(r"[^。！？!?；;\n]*(?:[。！？!?；;\n]+|$)")

Span = tuple[int, int]


def spans(text: str, longest: int = LONGEST) -> list[Span]:
    """Where the pieces of a text begin and end: whole sentences after one another, as many as fit into `longest`
    characters. Together they are the text; only a sentence that is longer than that is cut within."""
    found: list[Span] = []
    for start, end in _sentences(text, longest):
        if found and end - found[-1][0] <= longest:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _sentences(text: str, longest: int) -> Iterator[Span]:
    for match in _SENTENCE.finditer(text):
        for start in range(match.start(), match.end(), longest):
            yield start, min(start + longest, match.end())

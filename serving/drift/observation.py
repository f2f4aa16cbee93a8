"""What is counted of a post and its answer: numbers only, so that nothing personal is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.normalise import normalise
from data.results import Result
from data.words import known_share

if TYPE_CHECKING:
    from models.tokens import Tokens  # its library is of no use to the supervisor of a service


@dataclass(frozen=True, slots=True)
class Observation:
    """One scored text: category, its probability, characters, shares of unknown tokens and words, review or not."""

    category: str
    confidence: float
    length: int
    unknown_tokens: float
    unknown_words: float
    needs_review: bool


def observe(texts: Sequence[str | None], results: Sequence[Result], tokens: Tokens) -> Iterator[Observation]:
    """Observations of what has a text and a category; the rest is left out."""
    scored = [
        (text, result, result.category)
        for text, result in zip(texts, results, strict=True)
        if text is not None and result.category is not None
    ]
    for (text, result, category), ids in zip(scored, tokens.encode([text for text, *_ in scored]), strict=True):
        clean = normalise(text).text
        yield Observation(
            category=category.id,
            confidence=category.probability,
            length=len(clean),
            unknown_tokens=ids.count(tokens.unknown) / len(ids),
            unknown_words=1 - known_share(clean),
            needs_review=result.needs_review,
        )

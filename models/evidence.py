"""Evidence: which words of a post speak for its category, within a few forward passes' worth of compute.

Every word is first read alone, which costs a few tokens each; sets of the words that speak for the category most are
then taken out of the whole text together, and the set that the category misses most is told. Taking each word out of
the whole text instead would cost one pass a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from data.normalise import hidden, normalise
from data.respell import readable, respell
from data.results import Evidence, Word
from data.simplify import simplify
from data.words import words
from models.batching import padded_length
from models.text import TextModel

TOP = 3  # words that are told
BUDGET = 4.9  # tokens that may be run, padding included, over those of one plain pass
READING = 3.0  # of these, at most so many for words alone
LEADERS = 6  # words of which the sets are made
LONGEST = 40  # characters of a word: a run of digits or letters that is longer tells nobody anything
NOTHING = "。"  # what a word alone is compared with
MANY = 10  # distinct words of two or more characters from which single characters are not read
LEAST_SHARE = 0.1  # log-odds that a told word counts with at least when the weights are shared out
# They say little alone, and reading them costs a fifth of the budget; negations are not among them.
FUNCTION_WORDS = frozenset("的了着是在和与及也都就还又而之我你他她它这那个上下里有到对被把给让吗呢吧啊") | {
    "我们",
    "你们",
    "他们",
    "一个",
}
FIRST_SETS = ((0, 1, 2), (0, 3, 4), (1, 3, 5), (2, 4, 5))  # places among the leaders: unlike sets are tried first


def without(text: str, places: Iterable[Word | Evidence]) -> str:
    """`text` with these of its words taken out; they do not overlap."""
    for place in sorted(places, key=lambda place: -place.start):
        text = text[: place.start] + text[place.end :]
    return text


def content(text: str) -> list[Word]:
    """Words of a text that are more than punctuation, cut as the model reads it: full width, traditional characters and
    what is invisible do not break them, and nothing lies in a link or a mention. Positions in `text`; none overlap."""
    seen = normalise(text)
    masked, found, last = hidden(seen), list[Word](), 0
    for word in words(respell(simplify(seen.text))):
        start, end = seen.span(word.start, word.end)
        read = any(char.isalnum() for char in word.text)
        if (
            read
            and len(word.text) <= LONGEST
            and start >= last
            and not any(word.start < right and left < word.end for left, right in masked)
        ):
            found.append(Word(text[start:end], start, end))
            last = end
    return found


def _candidates(text: str) -> list[Word]:
    """Words that are read alone: what tells least is left out as long as enough others are there.

    Fewer words to read leave more of the budget for trying sets.
    """
    found = content(text)
    telling = [word for word in found if readable(word.text) not in FUNCTION_WORDS]
    long = [word for word in telling if len(word.text) > 1]
    choices = ((long, MANY), (telling, TOP + 1), (found, 0))
    return next(chosen for chosen, least in choices if len({word.text for word in chosen}) >= least)


def _log_odds(model: TextModel, texts: list[str], chosen: int) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(model.predict(texts).category[:, chosen], 1e-9, 1 - 1e-9)))


def _lengths(model: TextModel, texts: list[str]) -> list[int]:
    return [padded_length(len(ids)) for ids in model.tokens.encode(texts)]


def _readable(model: TextModel, found: list[Word], budget: float) -> dict[str, int]:
    """Distinct words and their tokens, short ones first, as many as the budget holds."""
    distinct = list(dict.fromkeys(word.text for word in found))
    lengths = dict(sorted(zip(distinct, _lengths(model, distinct), strict=True), key=lambda pair: pair[1]))
    spent = np.cumsum([*lengths.values()])
    return {text: length for (text, length), total in zip(lengths.items(), spent, strict=True) if total <= budget}


def _alone(model: TextModel, lengths: dict[str, int], chosen: int) -> dict[str, float]:
    """Log-odds that each word gives when it is the whole text, over those of nothing; equal lengths need no padding."""
    nothing = float(_log_odds(model, [NOTHING], chosen)[0])
    found: dict[str, float] = {}
    for _, group in groupby(lengths, key=lengths.__getitem__):
        batch = list(group)
        found |= dict(zip(batch, _log_odds(model, batch, chosen) - nothing, strict=True))
    return found


def _leaders(found: list[Word], alone: dict[str, float]) -> list[Word]:
    """First places of the words that speak for the category most."""
    first = {word.text: word for word in reversed(found) if word.text in alone}
    return sorted(first.values(), key=lambda word: (-alone[word.text], word.start))[:LEADERS]


def _sets(leaders: list[Word], size: int) -> Iterator[tuple[Word, ...]]:
    places = [*FIRST_SETS, *combinations(range(len(leaders)), size)]
    fitting = dict.fromkeys(one for one in places if len(one) == size and max(one) < len(leaders))
    return (tuple(leaders[place] for place in one) for one in fitting)


def _affordable(
    model: TextModel, text: str, sets: Iterator[tuple[Word, ...]], budget: float
) -> list[tuple[tuple[Word, ...], str]]:
    """Sets and the text without them, as many as one padded batch within the budget holds; the first one always."""
    found: list[tuple[tuple[Word, ...], str]] = []
    longest = 0
    for one in sets:
        rest = without(text, one)
        longest = max(longest, _lengths(model, [rest])[0])
        if longest * (len(found) + 1) > budget and found:
            break
        found.append((one, rest))
    return found


def _most_missed(
    model: TextModel, tried: Sequence[tuple[tuple[Word, ...], str]], before: float, chosen: int
) -> tuple[tuple[Word, ...], float]:
    """The set without which the log-odds fall most from `before`, and by how much."""
    drops = before - _log_odds(model, [rest for _, rest in tried], chosen)
    best = int(drops.argmax())
    return tried[best][0], float(drops[best])


def _shares(told: tuple[Word, ...], alone: dict[str, float], drop: float) -> list[float]:
    """`drop` shared out in proportion to what each word says alone."""
    parts = np.maximum([alone[word.text] for word in told], LEAST_SHARE)
    return [float(part) for part in drop * parts / parts.sum()]


def evidence(model: TextModel, text: str, chosen: int, probability: float) -> tuple[Evidence, ...]:
    """Up to `TOP` words that category `chosen` misses most when they are taken out together, strongest first.

    Their weights add up to the log-odds that the category loses then, each in proportion to what the word says alone;
    positions in `text`. Where no set that was tried is missed, it is the one of the first `TOP` leaders that is, for
    as many passes more. Empty when a text has only one word, or when none of these is missed either.
    """
    found = _candidates(text)
    size = min(TOP, len({word.text for word in found}) - 1)
    if size < 1:
        return ()
    plain = _lengths(model, [text])[0]
    lengths = _readable(model, found, READING * plain)
    alone = _alone(model, lengths, chosen)
    leaders = _leaders(found, alone)
    left = BUDGET * plain - sum(lengths.values()) - _lengths(model, [NOTHING])[0]
    tried = _affordable(model, text, _sets(leaders, min(size, len(leaders))), left)
    before = float(logit(np.clip(probability, 1e-9, 1 - 1e-9)))
    best, drop = _most_missed(model, tried, before, chosen)
    if drop <= 0 and size > 1:  # where all that was tried holds a word that speaks against the category
        singles = [((word,), without(text, (word,))) for word in leaders[:TOP]]
        best, drop = _most_missed(model, singles, before, chosen)
    if drop <= 0:
        return ()
    told = zip(best, _shares(best, alone, drop), strict=True)
    ordered = sorted(((round(weight, 3), word) for word, weight in told), key=lambda pair: -pair[0])
    return tuple(Evidence(word.text, word.start, word.end, weight) for weight, word in ordered if weight > 0)

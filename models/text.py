"""The text model in use: texts in, calibrated probabilities and decisions out, whole arrays at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from models.batching import STEP
from models.calibration import Calibration, FirstStage
from models.engine import Engine
from models.lexical import LexicalModel
from models.pieces import LONGEST, MOST, Span, denies, spans
from models.probabilities import (
    Array,
    category_probabilities,
    confidence,
    decide,
    likeliest,
    severity_probabilities,
)
from models.together import TogetherEngine
from models.tokens import Tokens

WARM = 80  # tokens: nine posts in ten are shorter; all lengths would take 2 s and 110 MB

# Where no category reaches it, one floor for all gives the smallest sets to the most doubtful posts: on the validation
# part they held the true one in 0.72 of them, and in 0.95 with as many as it takes for the coverage.
HALF = 0.5
SEVERE = 3  # rank from which a piece of a long text decides: of the ranks below every long text has one


@dataclass(frozen=True, slots=True)
class TextPredictions:
    """n texts: probabilities [n, categories] and [n, ranks], decisions [n], conformal sets [n, categories].

    `settled`: answered by the first stage alone [n]; None where there is none. `parts`: which part of a long text
    decided, by its row; of all other rows the whole text did.
    """

    category: Array
    severity: Array
    chosen: NDArray[np.int64]
    rank: NDArray[np.int64]
    members: NDArray[np.bool_]
    needs_review: NDArray[np.bool_]
    settled: NDArray[np.bool_] | None = None
    parts: Mapping[int, Span] = field(default_factory=dict)

    @property
    def confidence(self) -> Array:
        """How sure the decisions are, 0 to 1: [n]."""
        return confidence(self.category, self.severity, self.chosen, self.rank)


@dataclass(frozen=True, slots=True)
class TextModel:
    """Tokens, engine, calibration, the linear second reader if the bundle has one, and the first stage if it is on.

    `in_pieces`: whether a text of which the BERT cannot read all is read in pieces as well.
    """

    tokens: Tokens
    engine: Engine
    calibration: Calibration
    lexical: LexicalModel | None = None
    first_stage: FirstStage | None = None
    in_pieces: bool = True

    def predict(self, texts: Sequence[str], whole: Sequence[int] = ()) -> TextPredictions:
        """Score n >= 1 texts; the rows `whole` are never settled by the first stage.

        Of a text that is too long the BERT reads the head and the tail, and pieces: where one of these is severe and
        graver than that, it decides, unless the text speaks of rumours. It needs review, whatever was found.
        """
        found = self._decide(texts, whole)
        cut = self.tokens.cut(texts)
        rows = [row for row, long in enumerate(cut) if long and not denies(texts[row])]
        if self.in_pieces and rows:
            found = self._with_pieces(found, texts, rows)
        return replace(found, needs_review=found.needs_review | np.array(cut))

    def thorough(self) -> TextModel:
        """The same model without its first stage."""
        return replace(self, first_stage=None) if self.first_stage is not None else self

    def at_once(self) -> TextModel:
        """The same model without its first stage and without pieces: each text is one row of the engine."""
        return replace(self, first_stage=None, in_pieces=False)

    def _with_pieces(self, found: TextPredictions, texts: Sequence[str], rows: Sequence[int]) -> TextPredictions:
        """`found`, with the gravest piece of each of the `rows` in its place where it is severe and graver."""
        places = [(row, span) for row in rows for span in self._telling(texts[row])]
        pieces = self.at_once()._decide([texts[row][slice(*span)] for row, span in places], ())
        graver = dict[int, int]()
        for place, (row, _) in enumerate(places):
            rank = pieces.rank[place]
            if rank >= SEVERE and rank > (pieces.rank[graver[row]] if row in graver else found.rank[row]):
                graver[row] = place
        where, which = (np.array(list(each), np.intp) for each in (graver, graver.values()))
        _put(found, where, pieces, which)
        if found.settled is not None:
            found.settled[where] = False
        return replace(found, parts={row: places[place][1] for row, place in graver.items()})

    def _telling(self, text: str) -> list[Span]:
        """Up to MOST pieces of a text, those that the second reader takes for none least."""
        found = spans(text, min(LONGEST, self.tokens.limit))
        if self.lexical is None or len(found) <= MOST:
            return found[:MOST]
        logits = self.lexical.logits([text[slice(*span)] for span in found])
        least = np.argsort(log_softmax(logits, axis=1)[:, 0], kind="stable")
        return [found[place] for place in sorted(least[:MOST])]

    def _decide(self, texts: Sequence[str], whole: Sequence[int]) -> TextPredictions:
        """What both readers decide, or the first stage alone."""
        lexical = self.lexical.logits(texts) if self.lexical is not None else None
        if self.first_stage is None or lexical is None:
            return self._read(texts, lexical)
        early, clear = settle(lexical, self.first_stage, self.calibration)
        clear[[*whole]] = False
        left = np.flatnonzero(~clear)
        if len(left):
            _put(early, left, self._read([texts[int(row)] for row in left], lexical[left]), np.arange(len(left)))
        return replace(early, settled=clear)

    def _read(self, texts: Sequence[str], lexical: NDArray[np.float32] | None) -> TextPredictions:
        """Both readers together; FloatingPointError for what is no number, which would read as a sure none."""
        category, severity = self.engine.logits(self.tokens.encode(texts))
        if not (np.isfinite(category).all() and np.isfinite(severity).all()):
            raise FloatingPointError("the engine gave logits that are no numbers")
        found = interpret(blend(category, lexical, self.calibration), severity, self.calibration)
        if not (np.isfinite(found.category).all() and np.isfinite(found.severity).all()):
            raise FloatingPointError("both readers together gave probabilities that are no numbers")
        return found

    def shared(self) -> TextModel:
        """The same model for many threads, warmed up: the first row of each length takes 10 ms more."""
        for length in range(STEP, min(self.tokens.limit, WARM) + 1, STEP):
            self.engine.logits([[self.tokens.unknown] * length])
        return replace(self, engine=TogetherEngine(self.engine))


def blend(
    category: NDArray[np.floating], lexical: NDArray[np.floating] | None, calibration: Calibration
) -> NDArray[np.floating]:
    """Category logits of both readers as one, the BERT's stretched: [n, categories]."""
    stretched = stretch(category, calibration.gap_power)
    return stretched if lexical is None else stretched + calibration.lexical_weight * lexical


def stretch(logits: NDArray[np.floating], power: float) -> NDArray[np.floating]:
    """Logits whose distances from the highest of their row are raised to a power."""
    if power == 1:
        return logits
    gaps = logits.max(axis=1, keepdims=True) - np.asarray(logits, np.float64)
    return np.asarray(-(gaps**power))


def interpret(
    category_logits: NDArray[np.floating], severity_logits: NDArray[np.floating], calibration: Calibration
) -> TextPredictions:
    """Logits to calibrated predictions; used on validation logits as well, so that training sees what serving does."""
    biased = category_logits + (np.array(calibration.category_bias) if calibration.category_bias else 0.0)
    category = category_probabilities(biased, calibration.category_temperature)
    severity = severity_probabilities(category[:, 0], severity_logits, calibration.severity_temperature)
    costs = calibration.under_cost, calibration.miss_cost, calibration.miss_by_rank
    chosen, rank = decide(category, severity, *costs)
    members = category >= calibration.conformal_floor
    unsure = category.max(axis=1) < HALF
    members[unsure] |= likeliest(category[unsure], calibration.coverage)
    members[np.arange(len(chosen)), chosen] = True
    doubt = 1 - confidence(category, severity, chosen, rank)
    return TextPredictions(category, severity, chosen, rank, members, doubt > calibration.review_doubt)


def settle(
    lexical_logits: NDArray[np.floating], stage: FirstStage, calibration: Calibration
) -> tuple[TextPredictions, NDArray[np.bool_]]:
    """What the second reader says alone, and the posts [n] that it finds to be none with P >= `stage.floor`."""
    alone = replace(calibration, category_bias=(), category_temperature=1.0, severity_temperature=1.0)
    severity = np.tile(np.array(stage.severity_logits), (len(lexical_logits), 1))
    found = interpret(_alone(lexical_logits, stage), severity, alone)
    return found, (found.chosen == 0) & (found.category[:, 0] >= stage.floor)


def _alone(lexical_logits: NDArray[np.floating], stage: FirstStage) -> Array:
    """Logits of the second reader where it answers alone: none by its weights, the crises by the temperature."""
    thoughts = np.asarray(log_softmax(np.asarray(lexical_logits, np.float64), axis=1))
    logits = thoughts / stage.temperature
    if stage.none_weights:
        *weights, constant = stage.none_weights
        logits[:, 0] = thoughts @ np.array(weights) + constant + logsumexp(logits[:, 1:], axis=1)
    return logits


def _put(found: TextPredictions, rows: NDArray[np.intp], other: TextPredictions, places: NDArray[np.intp]) -> None:
    """Write these places of `other` into these rows."""
    for name in (one.name for one in fields(TextPredictions) if one.name not in ("settled", "parts")):
        getattr(found, name)[rows] = getattr(other, name)[places]

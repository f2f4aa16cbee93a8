"""The text model in use: texts in, calibrated probabilities and decisions out, whole arrays at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.batching import STEP
from models.calibration import Calibration
from models.engine import Engine
from models.lexical import LexicalModel
from models.probabilities import Array, category_probabilities, decide, severity_probabilities
from models.together import TogetherEngine
from models.tokens import Tokens

WARM = 80  # tokens: nine posts in ten are shorter; all lengths would take 2 s and 110 MB


@dataclass(frozen=True, slots=True)
class TextPredictions:
    """n texts: probabilities [n, categories] and [n, ranks], decisions [n], conformal sets [n, categories]."""

    category: Array
    severity: Array
    chosen: NDArray[np.int64]
    rank: NDArray[np.int64]
    members: NDArray[np.bool_]
    needs_review: NDArray[np.bool_]

    @property
    def confidence(self) -> Array:
        """Probability that category and rank are both right, taken as independent: [n]."""
        rows = np.arange(len(self.chosen))
        return np.asarray(self.category[rows, self.chosen] * self.severity[rows, self.rank])


@dataclass(frozen=True, slots=True)
class TextModel:
    """Tokens, engine, calibration, and the linear second reader if the bundle has one."""

    tokens: Tokens
    engine: Engine
    calibration: Calibration
    lexical: LexicalModel | None = None

    def predict(self, texts: Sequence[str]) -> TextPredictions:
        """Score n >= 1 texts."""
        category, severity = self.engine.logits(self.tokens.encode(texts))
        if self.lexical is not None:
            category = blend(category, self.lexical.logits(texts), self.calibration.lexical_weight)
        return interpret(category, severity, self.calibration)

    def shared(self) -> TextModel:
        """The same model for many threads, warmed up: the first row of each length takes 10 ms more."""
        for length in range(STEP, min(self.tokens.limit, WARM) + 1, STEP):
            self.engine.logits([[self.tokens.unknown] * length])
        return replace(self, engine=TogetherEngine(self.engine))


def blend(category: NDArray[np.floating], lexical: NDArray[np.floating], weight: float) -> NDArray[np.floating]:
    """Category logits of both readers as one: [n, categories]."""
    return category + weight * lexical


def interpret(
    category_logits: NDArray[np.floating], severity_logits: NDArray[np.floating], calibration: Calibration
) -> TextPredictions:
    """Logits to calibrated predictions; used on validation logits as well, so that training sees what serving does."""
    biased = category_logits + (np.array(calibration.category_bias) if calibration.category_bias else 0.0)
    category = category_probabilities(biased, calibration.category_temperature)
    severity = severity_probabilities(category[:, 0], severity_logits, calibration.severity_temperature)
    chosen, rank = decide(category, severity, calibration.under_cost)
    members = category >= calibration.conformal_floor
    rows = np.arange(len(chosen))
    members[rows, chosen] = True
    doubt = 1 - category[rows, chosen] * severity[rows, rank]
    return TextPredictions(category, severity, chosen, rank, members, doubt > calibration.review_doubt)

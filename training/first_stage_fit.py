"""Fit the first stage on a validation part: temperature of the second reader alone, floor, ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from models.calibration import FirstStage
from models.probabilities import category_probabilities
from training.metrics import log_loss

LOST = 0.002  # share of the validation posts of rank >= 2 that may be settled as none
LEAST_FLOOR = 0.5  # below, none would not be the surest answer

Labels = NDArray[np.int64]


def fit_first_stage(
    lexical_logits: NDArray[np.floating], category: Labels, rank: Labels, decided: Labels, ranks: int
) -> FirstStage:
    """Logits [n, categories] and labels [n] of a validation part; `ranks` is the number of ranks, none included.

    The floor is the lowest at which at most LOST of the posts of rank >= 2 are settled; those count that are so by
    their label or by what both readers decide (`decided` [n]).
    """
    found = minimize_scalar(
        lambda t: log_loss(category_probabilities(lexical_logits, np.exp(t)), category),
        bounds=(-3, 3),
        method="bounded",
    )
    temperature = float(np.exp(found.x))
    none = category_probabilities(lexical_logits, temperature)[:, 0]
    severe = np.sort(none[(rank >= 2) | (decided >= 2)])[::-1]
    allowed = int(LOST * len(severe))
    floor = float(np.nextafter(severe[allowed], 1.0)) if len(severe) else 1.0  # nothing known, nothing settled
    return FirstStage(floor=max(floor, LEAST_FLOOR), temperature=temperature, severity_logits=rank_logits(rank, ranks))


def rank_logits(rank: Labels, ranks: int) -> tuple[float, ...]:
    """Continuation logits of the shares of the ranks among crises; each rank counts once more than it is there."""
    counts = np.bincount(rank[rank > 0], minlength=ranks)[1:] + 1
    above = counts[::-1].cumsum()[::-1]  # of rank k or more, k = 1, 2, …
    return tuple(np.log(above[1:] / counts[:-1]).tolist())

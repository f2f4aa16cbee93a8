"""Whose series a topic is like: those of the head, or those of the second kind, whatever its size.

Both kinds are shown in several sizes, so that the gate tells them apart by their course; what is larger than the
recorded topics is for `EscalationModel.likeness` to say. Chosen, with `BEYOND`, on four earlier origins of `volume_ced`
and earlier topics of the hot list, instead of a border at the largest recorded topic, at which one model handed over to
the other. AUROC and Brier skill with the border and with both: later hot-search topics 0.894 and 0.320, 0.905 and
0.359; a tenth of their posts 0.830 and 0.140, 0.853 and 0.226; larger cascades 0.813 and 0.142, 0.814 and 0.166; the
next cascades 0.861 and 0.257, 0.862 and 0.252. With `BEYOND` 4 larger cascades had 0.837 and 0.199, but they too end
where their record does: a topic of 800 posts that grows was promised half as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline

from data.volume import count_features
from data.volume_windows import HORIZON, Floats, Windows
from models.escalation import MIN_RECENT, MIN_TOTAL, OPTIONAL
from models.escalation_head import design
from training.escalation_blend import logistic

OWN = 3.0  # weight of the own kind, of 1 of the other: with 10 hot-search topics are promised too little
LARGER, SMALLER = (3, 10), (0.1, 0.03)  # times the posts of the own series, and of those of the other kind
CLOCK = ("hour", "hour_sin", "hour_cos", "log_rise")  # the time of day tells no kind


def gate_names(names: Sequence[str]) -> tuple[str, ...]:
    """Features that the gate reads: those that both kinds have, without the clock."""
    own = tuple(OPTIONAL.values())
    return tuple(name for name in names if name not in CLOCK and not name.startswith(own))


def thinned(windows: Windows, share: float, rng: np.random.Generator) -> Windows:
    """Topics of which only some posts are seen; those with too few left for a decision are left out."""
    posts = np.nan_to_num(windows.counts).round().astype(np.int64)
    left = rng.binomial(posts, share).astype(float)
    counts = np.where(np.isnan(windows.counts), np.nan, left)
    enough = (left.sum(axis=1) >= MIN_TOTAL) & (left[:, -HORIZON:].sum(axis=1) >= MIN_RECENT)
    return replace(windows, counts=counts).take(enough)


def _sizes(own: Windows, other: Windows, seed: int) -> Iterator[tuple[Windows, bool]]:
    """Both kinds in several sizes, each with whether it is the own."""
    rng = np.random.default_rng(seed)
    yield own, True
    yield from ((replace(own, counts=own.counts * times), True) for times in LARGER)
    yield other, False
    yield from ((thinned(other, share, rng), False) for share in SMALLER)


def fit_gate(own: Windows, other: Windows, names: Sequence[str], diurnal: Floats, seed: int) -> Pipeline:
    """A logistic regression on the features `names`; its class 1 is the own kind."""
    parts = [(design(count_features(windows, diurnal), names), kind) for windows, kind in _sizes(own, other, seed)]
    features = np.concatenate([rows for rows, _ in parts])
    kinds = np.repeat([kind for _, kind in parts], [len(rows) for rows, _ in parts]).astype(int)
    weights = np.where(kinds == 1, OWN / kinds.mean(), 1 / (1 - kinds.mean()))
    return logistic().fit(features, kinds, logisticregression__sample_weight=weights / weights.mean())

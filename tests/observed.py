"""Invented observations of posts, and reference statistics of some."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.drift.observation import Observation
from serving.drift.reference import make_reference

CATEGORIES = ("none", "other", "product_quality", "platform_rules")


def stream(seed: int, count: int, **changes: object) -> list[Observation]:
    """Invented observations, independent of each other."""
    rng = np.random.default_rng(seed)
    plain = [
        Observation(
            category=str(rng.choice(CATEGORIES, p=[0.6, 0.2, 0.15, 0.05])),
            confidence=float(rng.beta(5, 2)),
            length=int(rng.lognormal(4, 0.8)) + 1,
            unknown_tokens=float(rng.random() < 0.05) * 0.1,
            unknown_words=float(rng.beta(1, 20)),
            needs_review=bool(rng.random() < 0.3),
        )
        for _ in range(count)
    ]
    return [replace(one, **changes) for one in plain]  # type: ignore[arg-type]


REFERENCE = make_reference(stream(0, 3_000), "yujing-risk:test")

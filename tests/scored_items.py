"""Items for the scorer, and when two answers to one are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np

from data.records import Item, Volume
from data.results import Result
from data.samples import sample_examples, sample_items
from data.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
ITEMS = [*sample_items(), *(Item(id=row.id, text=row.text) for row in sample_examples()[::5])]
VOLUME = Volume(as_of=datetime(2026, 5, 6, 12, tzinfo=UTC), counts=(3.0, 5.0, 9.0, 20.0, 40.0, 80.0))
HEAT = Volume(as_of=datetime(2026, 5, 6, 12, tzinfo=UTC), heat=(1.0, 2.0), alarm_threshold=9.0)


def same(one: Result, two: Result) -> None:
    """Equal but for the last digit of a float, which the batch's shape may move."""
    first, second = asdict(one), asdict(two)
    for part in ("category", "severity"):
        if first[part] and second[part]:
            for field in ("probability", "probabilities"):
                left, right = first[part].pop(field, 0), second[part].pop(field, 0)
                left, right = (list(x.values()) if isinstance(x, dict) else x for x in (left, right))
                np.testing.assert_allclose(left, right, atol=2e-4)
    assert first == second


def codes(results: Sequence[Result]) -> list[str | None]:
    return [result.error.code if result.error else None for result in results]

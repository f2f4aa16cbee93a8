"""The self-test of a loaded bundle, before it may answer anybody: laws that always hold, and the golden posts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from data.errors import BundleError
from data.results import CategoryResult, Result, SeverityResult
from data.samples import sample_items
from data.taxonomy import Taxonomy
from serving.golden import Answer, Golden
from serving.scoring import SupportsScore

TOLERANCE = 0.2  # of a probability: int8 and fp32 differ by less on clear posts, a bundle mixed up by far more
ABSENT = {"no_text_model", "no_escalation_head"}  # a bundle may have one part only


def self_test(scorer: SupportsScore, golden: Golden | None, taxonomy: Taxonomy) -> int:
    """Score the golden posts (the samples where a bundle has none); the number of them. BundleError names a fault."""
    items = golden.items if golden else sample_items()
    results = scorer.score(items)
    faults = [*_broken_laws(results, taxonomy.none_id), *(_differences(results, golden.answers) if golden else ())]
    if faults:
        raise BundleError(f"self-test of {scorer.model_id}: {len(faults)} faults, the first: {faults[0]}")
    return len(items)


def _broken_laws(results: Sequence[Result], none_id: str) -> Iterator[str]:
    for number, result in enumerate(results):
        if result.error is not None and result.error.code not in ABSENT:
            yield f"item {number}: {result.error.code}: {result.error.message}"
        if result.category is not None and result.severity is not None:
            yield from (f"item {number}: {fault}" for fault in _text_faults(result.category, result.severity, none_id))
        if result.escalation is not None and not 0 <= result.escalation.probability <= 1:
            yield f"item {number}: escalation probability {result.escalation.probability}"


def _text_faults(category: CategoryResult, severity: SeverityResult, none_id: str) -> Iterator[str]:
    for name, probabilities in (("category", category.probabilities.values()), ("severity", severity.probabilities)):
        if not math.isclose(total := sum(probabilities), 1, abs_tol=0.01):
            yield f"{name} probabilities sum to {total}"
    if (category.id == none_id) != (severity.rank == 0):
        yield f"category {category.id} with severity rank {severity.rank}"


def _differences(results: Sequence[Result], answers: Sequence[Answer]) -> Iterator[str]:
    for number, (result, wanted) in enumerate(zip(results, answers, strict=True)):
        found = Answer.of(result)
        for name in Answer.__slots__:
            before, now = getattr(wanted, name), getattr(found, name)
            if not _same(before, now):
                yield f"golden item {number}: {name} is {now}, the bundle's own answer was {before}"


def _same(before: object, now: object) -> bool:
    if isinstance(before, float) and isinstance(now, float | int):
        return abs(before - now) <= TOLERANCE
    return before == now

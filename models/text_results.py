"""One row of the text predictions as records of the contract; probabilities are rounded to 4 digits."""

from __future__ import annotations

import numpy as np

from data.results import CategoryResult, SeverityResult
from data.taxonomy import Taxonomy
from models.text import TextPredictions

DIGITS = 4


def category_result(predictions: TextPredictions, row: int, taxonomy: Taxonomy) -> CategoryResult:
    """Category of one text; the set runs from the most probable member down."""
    probabilities = predictions.category[row]
    category = taxonomy.categories[predictions.chosen[row]]
    members = [i for i in np.argsort(-probabilities, kind="stable") if predictions.members[row, i]]
    return CategoryResult(
        id=category.id,
        name=category.name,
        probability=round(float(probabilities[predictions.chosen[row]]), DIGITS),
        set=tuple(taxonomy.ids[i] for i in members),
        probabilities={key: round(float(p), DIGITS) for key, p in zip(taxonomy.ids, probabilities, strict=True)},
    )


def severity_result(predictions: TextPredictions, row: int, taxonomy: Taxonomy) -> SeverityResult:
    """Severity of one text."""
    severity = taxonomy.severities[predictions.rank[row]]
    return SeverityResult(
        rank=severity.rank,
        level=severity.level,
        name=severity.name,
        color=severity.color,
        probabilities=tuple(round(float(p), DIGITS) for p in predictions.severity[row]),
    )

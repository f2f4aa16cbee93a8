"""The errors that a model is surest of, to be read by people: texts masked, categories named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from data.masking import mask
from data.records import Example
from data.taxonomy import Taxonomy
from models.text import TextPredictions
from training.text_report import Truth

MOST = 50  # errors that are shown
LENGTH = 300  # characters of a post that are shown


def _shown(text: str) -> str:
    """Masked before it is cut, so that no cut identifier escapes the masking."""
    hidden = mask(text).text
    return hidden if len(hidden) <= LENGTH else hidden[: LENGTH - 1] + "…"


def confident_errors(
    rows: Sequence[Example], truth: Truth, seen: TextPredictions, taxonomy: Taxonomy, most: int = MOST
) -> list[dict[str, Any]]:
    """Rows of a wrong category, surest first; `second` tells that the label's second category was given."""
    at = np.arange(len(rows))
    sure = seen.category[at, seen.chosen]
    wrong = at[seen.chosen != truth.category]
    return [
        {
            "id": rows[i].id,
            "source": rows[i].source,
            "text": _shown(rows[i].text),
            "truth": taxonomy.ids[truth.category[i]],
            "given": taxonomy.ids[seen.chosen[i]],
            "probability": round(float(sure[i]), 4),
            "second": bool(seen.chosen[i] == truth.second[i]),
            "rank": int(truth.rank[i]),
            "given_rank": int(seen.rank[i]),
        }
        for i in wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    ]

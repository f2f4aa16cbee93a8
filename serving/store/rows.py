"""From an item and its answer to a row: masked, without any word of the text in the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Literal
from uuid import uuid4

from pydantic_core import to_jsonable_python

from data.masking import mask
from data.records import Item
from data.results import Result
from serving.store.records import Prediction


def with_ids(results: Sequence[Result]) -> list[Result]:
    """Each result with an id of its own, by which a person can correct it or have it deleted."""
    return [replace(result, prediction_id=uuid4().hex) for result in results]


def clean(text: str) -> str:
    """Without what a database refuses: NUL (PostgreSQL) and lone surrogates (UTF-8)."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def safe(text: str) -> str:
    """Masked and clean, of the same length."""
    return clean(mask(text).text)


def to_row(
    item: Item, result: Result, at: datetime, milliseconds: float, batch: int, keep_text: Literal["masked", "none"]
) -> Prediction:
    """The row of one answer; `result` carries its prediction id."""
    category, severity, escalation = result.category, result.severity, result.escalation
    return Prediction(
        id=result.prediction_id or uuid4().hex,
        at=at,
        item_id=None if item.id is None else safe(item.id),
        text=safe(item.text) if item.text is not None and keep_text == "masked" else None,
        category=category.id if category else None,
        category_probability=category.probability if category else None,
        severity=severity.rank if severity else None,
        head=escalation.head if escalation else None,
        escalation_probability=escalation.probability if escalation else None,
        risk=result.risk.rank if result.risk else None,
        needs_review=result.needs_review,
        error=result.error.code if result.error else None,
        outputs=_outputs(result),
        model=result.model,
        milliseconds=milliseconds,
        batch=batch,
    )


def _outputs(result: Result) -> dict[str, object]:
    """All numbers of the answer; signals by id only, no evidence: both quote the text."""
    parts = {name: getattr(result, name) for name in ("category", "severity", "escalation", "risk")}
    numbers = {name: None if part is None else asdict(part) for name, part in parts.items()}
    found: dict[str, object] = to_jsonable_python({**numbers, "signals": [signal.id for signal in result.signals]})
    return found

"""The rows of the memory: what was said about one item, and what a person says was right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field

from data.errors import InputError
from data.taxonomy import Taxonomy

PREDICTION_ID = "^[0-9a-f]{32}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One answer. `text` and `item_id` are masked; `outputs` quotes no word of the text; `milliseconds` are those of
    the whole request, which scored `batch` items."""

    id: str
    at: AwareDatetime
    item_id: str | None
    text: str | None
    category: str | None
    category_probability: float | None
    severity: int | None
    head: str | None
    escalation_probability: float | None
    risk: int | None
    needs_review: bool
    error: str | None
    outputs: Mapping[str, object]
    model: str
    milliseconds: float
    batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The body of `POST /feedback`: what was right, at least one of category, severity and escalated."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    prediction_id: Annotated[str, Field(pattern=PREDICTION_ID, description="of the answer that is corrected")]
    who: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S", description="who says so")]
    category: str | None = None
    severity: Annotated[int, Field(ge=0)] | None = None
    escalated: Annotated[bool | None, Field(description="whether it escalated within the horizon")] = None
    note: Annotated[str, Field(max_length=2_000)] | None = None

    def __post_init__(self) -> None:
        if self.category is None and self.severity is None and self.escalated is None:
            raise ValueError("say what was right: give category, severity or escalated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A correction as the table has it, with the masked text that it is about."""

    prediction_id: str
    at: datetime
    text: str | None
    category: str | None
    severity: int | None
    last_category: str | None  # as it was said last, in this correction or before
    last_severity: int | None


def check(correction: Correction, taxonomy: Taxonomy) -> Correction:
    """Return the correction; InputError where it breaks the taxonomy."""
    if correction.category is not None and correction.category not in taxonomy.ids:
        raise InputError(f"category: not in the taxonomy: use one of {', '.join(taxonomy.ids)}")
    if why := taxonomy.severity_fault(correction.category, correction.severity):
        raise InputError(f"severity: {why}")
    return correction

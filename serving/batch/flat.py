"""A result as one flat row, for tables."""

from __future__ import annotations

import pyarrow as pa

from data.results import Result, Signal

Cell = str | float | int | bool | None

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("category", pa.string()),
        ("category_probability", pa.float64()),
        ("severity_rank", pa.int32()),
        ("severity_level", pa.string()),
        ("escalation_probability", pa.float64()),
        ("risk_rank", pa.int32()),
        ("risk_level", pa.string()),
        ("needs_review", pa.bool_()),
        ("signals", pa.string()),
        ("error", pa.string()),
    ]
)


def flatten(result: Result) -> dict[str, Cell]:
    """The columns of SCHEMA; null where the result has none."""
    category, severity, escalation, risk = result.category, result.severity, result.escalation, result.risk
    return {
        "id": result.id,
        "category": getattr(category, "id", None),
        "category_probability": getattr(category, "probability", None),
        "severity_rank": getattr(severity, "rank", None),
        "severity_level": getattr(severity, "level", None),
        "escalation_probability": getattr(escalation, "probability", None),
        "risk_rank": getattr(risk, "rank", None),
        "risk_level": getattr(risk, "level", None),
        "needs_review": None if result.error and risk is None else result.needs_review,
        "signals": ";".join(map(_signal, result.signals)),
        "error": f"{result.error.code}: {result.error.message}" if result.error else None,
    }


def _signal(signal: Signal) -> str:
    """`escalation_threat:12315|曝光`, each word once."""
    return f"{signal.id}:{'|'.join(dict.fromkeys(word.text for word in signal.words))}"

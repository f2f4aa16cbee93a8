"""What `GET /model` says of a bundle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from models.bundle import Bundle

CARD = "MODEL_CARD.md"
MAX_CARD = 100_000  # characters


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Identity, making, measured quality (value, then the ends of its 95 % interval) and calibration of a bundle."""

    model: str
    created_at: datetime
    calibration_age_days: float
    format: int
    taxonomy_sha256: str
    categories: tuple[str, ...]
    encoder: str | None
    calibration: dict[str, Any] | None
    metrics: dict[str, Any]
    card: str | None


def describe_model(bundle: Bundle, now: datetime | None = None) -> ModelDescription:
    """Describe a bundle; the calibration is as old as the bundle, since every training run calibrates."""
    manifest, now = bundle.manifest, now or datetime.now(UTC)
    card = bundle.folder / CARD
    measured = {f"escalation_{head}": part.metrics for head, part in manifest.escalation.items()}
    return ModelDescription(
        model=bundle.model_id,
        created_at=manifest.created_at,
        calibration_age_days=round(max(0.0, (now - manifest.created_at).total_seconds() / 86_400), 2),
        format=manifest.format,
        taxonomy_sha256=manifest.taxonomy_sha256,
        categories=manifest.categories,
        encoder=manifest.text.encoder if manifest.text else None,
        calibration=asdict(manifest.text.calibration) if manifest.text else None,
        metrics={**({"text": manifest.text.metrics} if manifest.text else {}), **measured},
        card=card.read_text(encoding="utf-8")[:MAX_CARD] if card.is_file() else None,
    )

"""What `GET /model` says of a bundle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.bundle import CARD, Bundle
from models.staleness import WARN_AFTER_DAYS, is_stale

MAX_CARD = 100_000  # characters


@dataclass(frozen=True, slots=True)
class HeadCalibration:
    """Until when the labels reach that calibrated an escalation head, and whether that is too long ago."""

    calibrated_until: datetime | None
    """End of the data that the calibration learnt from; null where it is not known."""
    age_days: float | None
    """Days since then."""
    stale_after_days: int
    """Days from which on it is stale."""
    stale: bool
    """Whether it is."""


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Identity, making, measured quality (value, then the ends of its 95 % interval) and calibration of a bundle."""

    model: str
    """Id of the bundle, as answers have it."""
    created_at: datetime
    """When the bundle was made."""
    calibration_age_days: float
    """Days since the text part was calibrated."""
    format: int
    """Number of the format of the bundle."""
    taxonomy_sha256: str
    """Digest of the taxonomy that it was trained on."""
    categories: tuple[str, ...]
    """Ids of its categories, in order."""
    encoder: str | None
    """Base encoder; null without a text part."""
    calibration: dict[str, Any] | None
    """Numbers of the calibration of the text part; null without one."""
    escalation: dict[str, HeadCalibration]
    """Calibration of each escalation head."""
    metrics: dict[str, Any]
    """Figures that were measured when it was trained, by part."""
    card: str | None
    """Model card, as Markdown; null without one."""


def _days(later: datetime, earlier: datetime) -> float:
    return round(max(0.0, (later - earlier).total_seconds() / 86_400), 2)


def head_calibrations(
    bundle: Bundle, days: int | None = None, now: datetime | None = None
) -> dict[str, HeadCalibration]:
    """The calibration of each escalation head; `days` = the configured limit, None = what it was trained with."""
    now, found = now or datetime.now(UTC), {}
    for head, part in bundle.manifest.escalation.items():
        end, limit = part.calibrated_until, days or int(part.config.get("warn_after_days", WARN_AFTER_DAYS))
        age = None if end is None else _days(now, end)
        found[head] = HeadCalibration(end, age, limit, is_stale(end, now, limit))
    return found


def describe_model(bundle: Bundle, days: int | None = None, now: datetime | None = None) -> ModelDescription:
    """Describe a bundle; the text calibration of an older one, which tells no time, is as old as the bundle."""
    manifest, now = bundle.manifest, now or datetime.now(UTC)
    calibrated = (manifest.text and manifest.text.calibrated_at) or manifest.created_at
    measured = {f"escalation_{head}": part.metrics for head, part in manifest.escalation.items()}
    return ModelDescription(
        model=bundle.model_id,
        created_at=manifest.created_at,
        calibration_age_days=_days(now, calibrated),
        format=manifest.format,
        taxonomy_sha256=manifest.taxonomy_sha256,
        categories=manifest.categories,
        encoder=manifest.text.encoder if manifest.text else None,
        calibration=asdict(manifest.text.calibration) if manifest.text else None,
        escalation=head_calibrations(bundle, days, now),
        metrics={**({"text": manifest.text.metrics} if manifest.text else {}), **measured},
        card=_card(bundle.folder / CARD),
    )


def _card(path: Path) -> str | None:
    """The beginning of the text; no artefact, so nobody has checked whether it can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:MAX_CARD]
    except OSError:
        return None

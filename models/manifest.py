"""The manifest of a bundle: what is in it, what it was made from, and how good it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from data.errors import BundleError, InputError
from data.rim import parse
from data.strict_json import strict_json
from models.calibration import Calibration, FirstStage

FORMAT = 1
POOLED_FORMAT = 2  # of a bundle with pooled tokens: versions from before would read it without, and answer otherwise
NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """The text model: which base encoder, which adapter, calibrated how, measured where."""

    encoder: str
    encoder_sha256: str
    adapter_rank: Annotated[int, Field(ge=0, le=4_096)]
    ranks: int  # severity ranks, none included
    max_tokens: Annotated[int, Field(ge=8, le=512)]
    calibration: Calibration
    pool_after: Annotated[int, Field(ge=0)] = 0  # layer after which tokens are pooled in pairs; 0 = never
    config: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    first_stage: FirstStage | None = None  # no part of the identity: whole answers do not depend on it
    calibrated_at: datetime | None = None  # no part of it either; None (an older bundle): when the bundle was made


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPart:
    """One escalation head. `calibrated_until`: end of the labels that taught its calibration."""

    config: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    calibrated_until: datetime | None = None
    recalibration: dict[str, Any] = field(default_factory=dict)  # data and figures of the latest refit, if any


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`files` maps every artefact to its sha256; nothing else is read from the bundle's folder. `reference`: what
    answers to usual posts look like, for the drift monitor (`yujing drift reference`)."""

    format: int = FORMAT
    created_at: datetime
    taxonomy_sha256: str
    categories: tuple[str, ...]
    text: TextPart | None = None
    escalation: dict[str, EscalationPart] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    reference: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Identity of the bundle: hash of its artefacts and of the numbers that decide."""
        decisive = {"files": self.files, "text": self.text and _decisive(self.text)}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def dumps(self) -> str:
        """As JSON text."""
        return strict_json(asdict(self))


def format_of(text: TextPart | None) -> int:
    """The format of a bundle with this text part."""
    return POOLED_FORMAT if text is not None and text.pool_after else FORMAT


def _decisive(text: TextPart) -> tuple[Any, ...]:
    """What decides of a text part; bundles from before there was pooling keep their identity."""
    pooling = (text.pool_after,) if text.pool_after else ()
    return _numbers(text.calibration), text.encoder_sha256, text.max_tokens, *pooling


def _numbers(calibration: Calibration) -> dict[str, Any]:
    """Without those that change nothing: bundles that were made before there were such keep their identity."""
    silent = {"gap_power": 1.0, "category_bias": (), "miss_cost": 1.0, "miss_by_rank": False}
    return {key: value for key, value in asdict(calibration).items() if key not in silent or value != silent[key]}


def now() -> datetime:
    """Time of making, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def read_manifest(folder: Path) -> Manifest:
    """Read and check `folder/manifest.json`; BundleError says what is wrong."""
    try:
        raw = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{folder}: no readable {NAME} ({error}): name a folder made by `yujing train`") from None
    found = raw.get("format") if isinstance(raw, dict) else None
    if found not in (FORMAT, POOLED_FORMAT):
        raise BundleError(
            f"{folder}: bundle format {found!r}, this version reads {FORMAT} and {POOLED_FORMAT}: retrain or update "
            "Yujing"
        )
    try:
        return parse(Manifest, raw)
    except InputError as error:
        raise BundleError(f"{folder}/{NAME}: {error}") from None

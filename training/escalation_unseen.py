"""A recalibrated head is measured on what came later: earlier decisions have taught its sigmoids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from data.errors import CorpusError
from data.volume_windows import Floats
from models.manifest import EscalationPart
from training.escalation_blocks import Rows

BEFORE = "before_recalibration"  # where a recalibrated head keeps the figures of the head that it was


def unseen(rows: Rows, time: Floats, part: EscalationPart) -> Rows:
    """Of some decisions (mask [n], their hours [n]) those that no recalibration has read; CorpusError without any."""
    if not part.recalibration or part.calibrated_until is None:
        return rows
    later = np.asarray(rows & (time >= part.calibrated_until.timestamp() / 3600))
    if not later.any():
        raise CorpusError(
            f"the head was recalibrated on labels until {part.calibrated_until:%Y-%m-%d %H:%M} UTC and no decision to "
            "measure it on is later: give later data (series, record), or leave the head out (series=[], record='')"
        )
    return later


def since(part: EscalationPart) -> str:
    """What to add to a title; nothing for a head that was never recalibrated."""
    recalibrated = part.recalibration and part.calibrated_until is not None
    return f", later than its recalibration until {part.calibrated_until:%Y-%m-%d %H:%M} UTC" if recalibrated else ""


def kept(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a head for the manifest of its recalibrated form, under a name that does not claim them for it."""
    return {BEFORE: metrics.get(BEFORE, metrics)} if metrics else {}

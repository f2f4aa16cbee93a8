"""A recalibrated head is measured on what came later: earlier decisions have taught its sigmoids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import CorpusError
from data.volume_windows import Floats
from models.manifest import EscalationPart
from models.taught import changed_since, file_sha256, taught
from training.escalation_blocks import Rows
from training.hotlist_fit import hour_of
from training.told import warn

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


def tell_taught_days(files: Sequence[str], begin: float, part: EscalationPart, console: Console) -> None:
    """Warn when a recalibration from hour `begin` on reads days that taught the head: there it is surer than elsewhere.

    By the files: those that taught it, or that stand where these stood. A head's second recalibration knows no days.
    """
    if part.recalibration or part.calibrated_until is None or begin >= part.calibrated_until.timestamp() / 3600:
        return
    changed = changed_since(files, part.config, part.data, ("series", "record"))
    if same := [file for file in files if file in changed or file_sha256(file) in taught(part.data)]:
        why = (
            f"taught the head until {part.calibrated_until:%Y-%m-%d}: on these days it is too sure of itself, and so is"
        )
        remedy = "a sigmoid from them: give later days, or fewer of them (recalibrate_days)"
        warn(console, "not all unseen", f"{', '.join(same)} {why} {remedy}")


def tell_days(first: float, test_from: date, console: Console) -> None:
    """Warn when hours from `first` on are asked about, and days of the hot-search list before `test_from` taught."""
    if first < hour_of(test_from):
        why = "if they are those of that record, what the head does there looks better than it will do on new days"
        warn(console, f"days before {test_from} taught the head:", why)


def since(part: EscalationPart) -> str:
    """What to add to a title; nothing for a head that was never recalibrated."""
    recalibrated = part.recalibration and part.calibrated_until is not None
    return f", later than its recalibration until {part.calibrated_until:%Y-%m-%d %H:%M} UTC" if recalibrated else ""


def kept(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a head for the manifest of its recalibrated form, under a name that does not claim them for it."""
    return {BEFORE: metrics.get(BEFORE, metrics)} if metrics else {}

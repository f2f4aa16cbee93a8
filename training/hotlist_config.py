"""Settings of the training of the `hotlist` head."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from data.bounds import Days, Positive, Seed, Weight
from training.escalation_config import HOT_LIST


@dataclass(frozen=True, slots=True, kw_only=True)
class HotlistConfig:
    """One run of `yujing train escalation --head hotlist`. Defaults are those of the shipped head.

    The trees' settings were chosen on the rolling origins, which end before the test block. --recalibrate reads record,
    bundle, recalibrate_days, warn_after_days and out, and refuses the others.
    """

    record: str = HOT_LIST
    test_from: date = date(2025, 8, 1)  # first day of the test block (Asia/Shanghai)
    test_to: date = date(2026, 2, 1)  # the day after its last
    calibration_days: Days = 60  # before the test block
    embargo_hours: Annotated[int, Field(ge=0)] = 48  # between the last label of a block and the next block
    folds: Annotated[int, Field(ge=0, le=100)] = 4  # rolling origins before the test block
    fold_days: Days = 60  # tested at each of them
    recalibrate_days: Days = 45  # latest days that a weekly recalibration, or `--recalibrate`, reads
    bundle: str | None = None  # whose head `--recalibrate` takes; None = that in `out`, else the shipped one
    warn_after_days: Days | None = None  # age of a calibration that answers tell; None = as the head does, or 90
    day: bool = True  # also learn alarm_24h
    iterations: Annotated[int, Field(ge=1)] = 300
    learning_rate: Positive = 0.05
    leaves: Annotated[int, Field(ge=2)] = 15
    leaf_rows: Annotated[int, Field(ge=1)] = 200  # decisions in a leaf, at least
    l2: Weight = 10.0
    feature_share: Annotated[float, Field(gt=0, le=1)] = 0.3  # of the features that a split may look at
    draws: Annotated[int, Field(ge=10)] = 100  # of the bootstrap, by day
    seed: Seed = 7
    out: str = "runs/latest"

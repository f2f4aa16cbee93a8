"""Settings of the escalation model's training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from data.bounds import Days, Positive, Seed, Weight
from data.errors import ConfigError

HOT_LIST = "../shared/data/hotlist.parquet"
SERIES = ("../shared/data/volume_ced.jsonl.gz",)


def refuse_bundle(bundle: str | None) -> None:
    """ConfigError for a training that is told whose head to take: it would begin anew, unsaid."""
    if bundle is not None:
        raise ConfigError(f"bundle={bundle}: only --recalibrate takes the head of one: give it, or leave bundle out")


BlockShare = Annotated[float, Field(gt=0, lt=0.9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationConfig:
    """One run of `yujing train escalation`. Defaults are those of the shipped `counts` head.

    --recalibrate reads series, bundle, recalibrate_days, warn_after_days and out, and refuses the others.
    """

    series: tuple[str, ...] = SERIES
    test: BlockShare = 0.25  # of the topics, the latest
    calibration: BlockShare = 0.15  # of the topics before, again the latest
    embargo_hours: Annotated[int, Field(ge=0)] = 48  # between the last label of a block and the next block's first post
    folds: Annotated[int, Field(ge=0)] = 4  # rolling origins that are reported beside the test block
    iterations: Annotated[int, Field(ge=1)] = 300
    learning_rate: Positive = 0.03
    leaves: Annotated[int, Field(ge=2)] = 15
    leaf_rows: Annotated[int, Field(ge=1)] = 200  # decisions in a leaf, at least
    l2: Weight = 30.0
    feature_share: Annotated[float, Field(gt=0, le=1)] = 0.3  # of the features that a split may look at
    record: str | None = HOT_LIST  # hot list whose hourly discussions teach the fallback, if it is there
    record_topics: Annotated[int, Field(ge=1)] = 12_000  # hot-search topics of it that are read
    record_share: Positive = 0.5  # of its decisions, at most so many times as of the series
    record_until: date = date(2025, 8, 1)  # first day of the topics that only test (Asia/Shanghai)
    warn_after_days: Days | None = None  # age of a calibration that answers tell; None = as the head does, or 90
    bundle: str | None = None  # whose head `--recalibrate` takes; None = that in `out`, else the shipped one
    recalibrate_days: Days = 45  # latest days that `--recalibrate` reads
    draws: Annotated[int, Field(ge=10)] = 200  # of the bootstrap, by topic
    seed: Seed = 7
    out: str = "runs/latest"

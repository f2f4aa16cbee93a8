"""Settings of `yujing policy simulate`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from data.bounds import Positive
from training.escalation_config import HOT_LIST, SERIES


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateConfig:
    """What is replayed, and what a desk can bear. With `miss_cost` the cheapest threshold is chosen, else the lowest
    one that keeps to `false_alarms_per_day`; both on the block before the one that is replayed. The command takes
    bundle, policy and lexicon that are not given from the variables of the service."""

    bundle: str | None = None  # folder; None = the shipped one
    policy: str | None = None  # risk policy (TOML); None = the shipped one
    signals: str | None = None  # lexicon (TOML) that the policy stands beside; None = the packaged one
    severity: Annotated[int, Field(ge=0, le=4)] | None = None  # of every topic; None = no text, so unknown
    false_alarms_per_day: Positive = 10.0
    miss_cost: Positive | None = None  # of a crossing that nobody was warned of
    false_alarm_cost: Positive = 1.0
    series: tuple[str, ...] = SERIES  # head counts
    record: str = HOT_LIST  # head hotlist
    test_from: date | None = None  # head hotlist: days to replay; None = the test block of the training
    test_to: date | None = None
    out: str = "runs/policy"

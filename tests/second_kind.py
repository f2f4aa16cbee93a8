"""A tiny hot list with discussions, as the second kind of series that teaches the fallback."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
from hot_list import record
from self_exciting import CONFIG

from data.hot_topics import HotList
from training.escalation_config import EscalationConfig
from training.escalation_kinds import Kind, kind_of


@cache
def busy() -> HotList:
    """The tiny list with discussions that only rise."""
    hot, random = record(), np.random.default_rng(3)
    return replace(hot, discussions=np.cumsum(random.poisson(60, len(hot.time)) * random.integers(1, 4, len(hot.time))))


def settings() -> EscalationConfig:
    """Its first 70 % teach."""
    until = datetime.fromtimestamp(float(np.quantile(busy().time, 0.7)) * 3600, UTC).date()
    return replace(CONFIG, record_topics=300, record_until=until)


@cache
def busy_kind() -> Kind:
    """Decisions on it, in blocks."""
    kind = kind_of(busy(), settings())
    assert kind is not None
    return kind

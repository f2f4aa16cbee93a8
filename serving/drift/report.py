"""What the monitor found, for `GET /drift` and for Prometheus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from serving.drift import metrics
from serving.drift.compare import NAMES, State, Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """`since`: when the oldest post of the window was scored; the statistics are empty while posts are too few."""

    state: State
    """The worst of the statistics; `too_few` while nothing can be compared."""
    posts: int
    """Posts in the window."""
    window: int
    """Posts that it holds at most."""
    since: datetime | None
    """When the oldest post of the window was scored."""
    reference_model: str
    """Id of the bundle that made the reference."""
    reference_posts: int
    """Posts of the reference."""
    reference_made_at: datetime
    """When the reference was made."""
    statistics: list[Statistic]
    """What is compared; empty while posts are too few."""


def publish(report: DriftReport | None) -> None:
    """Set the metrics to a report; None: nothing is compared any more, so no old alarm may stay."""
    metrics.POSTS.set(report.posts if report else 0)
    found = {one.name: one for one in report.statistics} if report else {}
    for name in NAMES:
        one = found.get(name)
        metrics.STATE.labels(name).set(metrics.STATES[one.state if one else "too_few"])
        metrics.VALUE.labels(name).set(one.value if one else math.nan)

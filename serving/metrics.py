"""Our Prometheus metrics. Every label comes from a table of ours, so no caller can make new series.

BentoML's own request metrics are switched off: they take the path as sent for a label, so that anybody who asks
for random paths fills the memory, and words of a path would stand in the metrics.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import psutil
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from data.results import Result
from models.policy import Policy

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

REQUESTS = Counter("yujing_requests", "HTTP requests answered (504: by the timeout)", ["endpoint", "status"])
REQUEST_SECONDS = Histogram("yujing_request_seconds", "From first byte to last", ["endpoint"], buckets=SECONDS)
IN_PROGRESS = Gauge(
    "yujing_requests_in_progress", "Requests under way, waiting ones included", multiprocess_mode="livesum"
)
REFUSED = Counter("yujing_refused", "Requests refused before scoring", ["code"])
REPLAYED = Counter("yujing_idempotent_replays", "Answers given again for the same Idempotency-Key")

QUEUE = Gauge("yujing_queue_depth", "Requests accepted for scoring and not answered yet", multiprocess_mode="livesum")
WAIT = Gauge("yujing_queue_wait_seconds", "Until all that is accepted will be answered", multiprocess_mode="livemax")
ENGINE_SECONDS = Histogram("yujing_engine_seconds", "Time of scoring one request, with its turn", buckets=SECONDS)
ENGINE_ROWS = Counter("yujing_engine_rows", "Texts, and parts for evidence, by source: engine or memory", ["source"])
ITEMS = Histogram("yujing_items_per_request", "Items of one request", buckets=SIZES)

POSTS = Counter("yujing_posts", "Texts scored", ["category"])
SEVERITIES = Counter("yujing_severities", "Texts scored", ["rank"])
RISKS = Counter("yujing_risks", "Items scored", ["level"])
LIFTS = Counter("yujing_escalations", "Volumes scored, by lift band of the policy", ["head", "band"])
REVIEWS = Counter("yujing_needs_review", "Texts that a person should read")
ERRORS = Counter("yujing_item_errors", "Items that could not be scored", ["code"])

RELOADS = Counter("yujing_reloads", "Bundle swaps asked for", ["outcome"])
MODEL_INFO = Gauge("yujing_model_info", "1 for the model that answers", ["model"], multiprocess_mode="mostrecent")

CALIBRATED_UNTIL = Gauge(
    "yujing_calibrated_until_timestamp_seconds",
    "End of the labels that calibrated a head; its age is time() minus this",
    ["head"],
    multiprocess_mode="mostrecent",
)


def count(results: Sequence[Result], policy: Policy) -> None:
    """Count what was answered."""
    ITEMS.observe(len(results))
    for result in results:
        if result.error is not None:
            ERRORS.labels(result.error.code).inc()
        if result.category is not None and result.severity is not None:
            POSTS.labels(result.category.id).inc()
            SEVERITIES.labels(str(result.severity.rank)).inc()
            REVIEWS.inc(result.needs_review)
        if result.escalation is not None:
            band = policy.bands[policy.band(result.escalation.told_lift, result.escalation.crossed)].id
            LIFTS.labels(result.escalation.head, band).inc()
        if result.risk is not None:
            RISKS.labels(result.risk.level).inc()


def forget_dead_workers() -> None:
    """Take away the gauges of workers that have ended; what they counted stays.

    Their requests would count as under way for ever, and their model would stand beside the one that answers now.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    for path in Path(folder).glob("gauge_*_*.db") if folder else ():
        if not psutil.pid_exists(int(path.stem.rpartition("_")[2])):
            path.unlink(missing_ok=True)  # prometheus_client's mark_process_dead leaves "mostrecent"


def exposition() -> bytes:
    """All metrics in Prometheus' text format, over all workers where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)

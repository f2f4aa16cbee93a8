"""The demo: the real service, the sample posts over HTTP, a ranked table of alerts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from data.records import Item
from data.results import Result
from data.samples import sample_items
from serving.alerts import Scored, alert_table, count_levels, is_alert, urgency
from serving.client import post_items
from serving.process import ROOT, SERVICE, ServiceError, running, tail

WIDTH = 140  # columns where the output is no terminal


def run(rows: int, extra: Mapping[str, str] | None = None, service: str = SERVICE, root: Path = ROOT) -> list[Result]:
    """Start, ask, print, stop; ServiceError with the log's last lines when the service fails."""
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    items = sample_items()
    with (
        console.status("starting the service …"),
        running(extra, service, root) as server,
    ):
        try:
            start = time.perf_counter()
            results = post_items(server.url, items)
            seconds = time.perf_counter() - start
            alerts = explained(server.url, items, results, rows)
        except ServiceError as error:
            raise ServiceError(f"{error}; its log ends:\n{tail(server.log)}") from None
    console.print(alert_table(alerts))
    console.print(
        f"{len(items)} posts: {count_levels(results)}; {1000 * seconds / len(items):.1f} ms per post; "
        f"service ready in {server.ready_seconds:.1f} s; model {results[0].model}",
        soft_wrap=True,
        highlight=False,
    )
    return results


def explained(url: str, items: Sequence[Item], results: Sequence[Result], rows: int) -> list[Scored]:
    """The worst alerts, asked for once more with their evidence, which is slower."""
    alerts = sorted(filter(is_alert, zip(items, results, strict=True)), key=urgency)[:rows]
    asked = [dataclasses.replace(item, explain=True) for item, _ in alerts]
    return list(zip(asked, post_items(url, asked), strict=True))

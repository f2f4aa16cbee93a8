"""A progress bar for scoring files: share read, rows, rows/s and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from serving.score_files import Summary


@contextmanager
def score_progress(show: bool) -> Iterator[Callable[[float, Summary], None]]:
    """Yield the callback for `score_file`; the bar goes to stderr, so that stdout keeps only the summary."""
    columns = (
        TextColumn("scoring"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]:.0f} rows/s, {task.fields[failed]} failed, left"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not show) as bar:
        task = bar.add_task("", total=1.0, rows=0, rate=0.0, failed=0)

        def update(done: float, summary: Summary) -> None:
            rate = summary.read / max(time.monotonic() - start, 1e-9)
            bar.update(task, completed=done, rows=summary.read, rate=rate, failed=summary.failed)

        yield update

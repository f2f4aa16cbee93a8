"""A progress bar for scoring files: share read, rows, rows/s and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from serving.batch.run import Status


@contextmanager
def score_progress(show: bool) -> Iterator[Callable[[Status], None]]:
    """Yield the callback for `score_files`; the bar goes to stderr, so that stdout keeps only the summary."""
    columns = (
        TextColumn("scoring"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]:.0f} rows/s, left"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not show) as bar:
        task = bar.add_task("", total=1.0, rows=0, rate=0.0)

        def update(status: Status) -> None:
            rate = (status.rows - status.resumed) / max(time.monotonic() - start, 1e-9)
            share = max(status.share, bar.tasks[0].completed)  # windows come back in any order
            bar.update(task, completed=share, rows=status.rows, rate=rate)

        yield update

"""`yujing score` with one process and with two, on the same texts."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from serving.batch.pools import Load
from serving.batch.processes import Processes
from serving.batch.run import Job, Status, score_files
from serving.benchmarks.clock import Spread, usable

WINDOW = 100  # rows: small, so that both processes are busy to the end
COUNTS = (1, 2)


def run_scaling(load: Load, texts: Sequence[str], rounds: int, cores: int | None = None) -> dict[str, Any]:
    """Rows per second of each number of processes once they have started, and the ratio within a round."""
    cores = len(usable()) if cores is None else cores
    if cores < max(COUNTS):
        return {"left_out": f"{max(COUNTS)} cores are needed, {cores} may be used"}
    texts = list(dict.fromkeys(texts))
    with tempfile.TemporaryDirectory(prefix="yujing-bench-") as folder:
        source = Path(folder) / "in.jsonl"
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        rates = [
            {count: _rate(Job(str(source), Path(folder) / "out.jsonl", window=WINDOW), load, count) for count in COUNTS}
            for _ in range(rounds)
        ]
    one, two = COUNTS
    return {
        "texts": len(texts),
        "rounds": rounds,
        "rows_per_second": {str(count): asdict(Spread.of([rate[count] for rate in rates])) for count in COUNTS},
        "times": asdict(Spread.of([rate[two] / rate[one] for rate in rates])),
    }


def _rate(job: Job, load: Load, count: int) -> float:
    """Rows per second from the moment at which every process has done a window until the output is written."""
    seen: list[tuple[float, int]] = []

    def note(status: Status) -> None:
        seen.append((time.perf_counter(), status.rows))

    score_files(job, Processes(load, count), note)
    start, before = seen[min(count, len(seen) - 2)]
    return (seen[-1][1] - before) / (time.perf_counter() - start)

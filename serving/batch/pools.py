"""Who scores the windows: this process, others (`processes`), or the actors of a cluster (`ray_pool`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from data.errors import YujingError
from serving.batch.shard import make_shard
from serving.batch.windows import Window
from serving.scoring import SupportsScore

Load = Callable[[], SupportsScore]
Done = tuple[Window, bytes]

AHEAD = 2  # windows per worker that are read ahead: no worker waits for the reader, and memory stays flat
RETRIES = 3  # times that workers may die without one window done in between
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


class WorkersLostError(YujingError):
    """Workers die again and again."""

    code = "workers_lost"


class Pool(Protocol):
    """Scores windows as the stream gives them; they come back in any order, each as the bytes of its shard."""

    def run(self, windows: Iterator[Window], kind: str) -> Iterator[Done]: ...


@dataclass(frozen=True)
class Here:
    """Score in this process; the scorer is loaded with the first window."""

    load: Load

    def run(self, windows: Iterator[Window], kind: str) -> Iterator[Done]:
        scorer = None
        for window in windows:
            scorer = scorer or self.load()
            yield window, make_shard(scorer, window.rows, kind)

"""Processes of one thread each, on this machine; one that dies is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection

from models.lean import hide
from serving.batch.pools import AHEAD, ONE_THREAD, RETRIES, Done, Here, Load, WorkersLostError
from serving.batch.shard import make_shard
from serving.batch.windows import Window
from serving.scoring import SupportsScore


def cores() -> int:
    """Cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(usable(0)) if usable else os.cpu_count() or 1


class _Todo:
    """The windows still to be scored; those of a worker that died come back."""

    def __init__(self, windows: Iterator[Window]) -> None:
        self._windows, self._back = windows, deque[Window]()

    def __iter__(self) -> Iterator[Window]:
        return self

    def __next__(self) -> Window:
        return self._back.popleft() if self._back else next(self._windows)

    def give_back(self, windows: Iterable[Window]) -> None:
        self._back.extend(windows)


@dataclass(frozen=True)
class Processes:
    """Score in `count` processes of one thread each. One that dies is replaced, and its windows are scored again."""

    load: Load
    count: int

    def run(self, windows: Iterator[Window], kind: str) -> Iterator[Done]:
        todo, deaths = _Todo(windows), 0
        if len(head := list(islice(todo, 2))) < 2:  # not worth a process
            yield from Here(self.load).run(iter(head), kind)
            return
        todo.give_back(head)
        with _environment(ONE_THREAD):
            while deaths <= RETRIES:
                try:
                    for done in self._run_until_death(todo, kind):
                        deaths = 0
                        yield done
                    return
                except BrokenProcessPool:
                    deaths += 1
        raise WorkersLostError(
            f"workers died {deaths} times in a row (out of memory?): give fewer --workers; "
            "the run goes on where it was when it is repeated"
        )

    def _run_until_death(self, todo: _Todo, kind: str) -> Iterator[Done]:
        """Results as they come; BrokenProcessPool when a worker has died, and `todo` has its windows back."""
        waiting: dict[int, Window] = {}
        futures: dict[Future[bytes], int] = {}
        pool = ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn"), _begin, (self.load,))
        try:
            pool.submit(_warm).result()  # one worker builds the engine where it is not cached, the others find it
            while True:
                for window in islice(todo, self.count * AHEAD - len(waiting)):
                    waiting[window.number] = window
                    futures[pool.submit(_work, window, kind)] = window.number
                if not waiting:
                    return
                for future in wait(futures, return_when=FIRST_COMPLETED).done:
                    blob = future.result()
                    yield waiting.pop(futures.pop(future)), blob
        finally:
            todo.give_back(waiting.values())
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _environment(extra: dict[str, str]) -> Iterator[None]:
    """Variables that new processes see: numeric libraries read them when they are loaded."""
    before = {name: os.environ.get(name) for name in extra}
    os.environ.update(extra)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


_loaded: list[SupportsScore] = []  # of this worker
_load: list[Load] = []


def _begin(load: Load) -> None:
    """Begin a worker: it dies with its parent, even when that is killed, and at Ctrl-C without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    hide("pandas")
    _load.append(load)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _warm() -> None:
    if not _loaded:
        _loaded.append(_load[0]())


def _work(window: Window, kind: str) -> bytes:
    _warm()
    return make_shard(_loaded[0], window.rows, kind)

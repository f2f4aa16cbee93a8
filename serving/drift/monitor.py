"""The sliding window of a running service, filled by a thread of its own so that scoring never waits."""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError
from data.records import Item
from data.results import Result
from models.bundle import open_bundle
from serving.drift import metrics
from serving.drift.compare import compare, worst
from serving.drift.observation import Observation, observe
from serving.drift.reference import Reference
from serving.drift.report import DriftReport, publish
from serving.drift.settings import DriftSettings, find_reference

if TYPE_CHECKING:
    from models.tokens import Tokens

logger = logging.getLogger("bentoml.yujing.drift")

WAITING = 64  # requests that may wait for the thread
PAUSE = 0.1  # seconds from the first answer to a look at all that came since: they are sent meanwhile
PACE = 50.0  # posts a second in the long run, drawn by chance from more: to look at one takes a 25th of scoring it
REFRESH_SECONDS = 10.0  # between updates of the metrics

Batch = tuple[Sequence[str | None], Sequence[Result]]
Pair = tuple[str | None, Result]


class Monitor:
    """Keeps numbers of the newest `window` posts, never their text."""

    def __init__(self, reference: Reference, tokens: Tokens, window: int) -> None:
        self.reference = reference
        self._tokens = tokens
        self._window: deque[tuple[datetime, Observation]] = deque(maxlen=window)
        self._lock = threading.Lock()
        self._queue: queue.Queue[Batch] = queue.Queue(WAITING)
        self._closed = threading.Event()
        self._credit, self._credited_at = float(window), time.monotonic()  # posts that may be looked at, up to a window
        self._refresh_at, self._told = 0.0, True
        self._thread = threading.Thread(target=self._run, name="yujing-drift", daemon=True)
        self._thread.start()

    def put(self, items: Sequence[Item], results: Sequence[Result]) -> None:
        """Hand answers over at once; they are skipped and counted when the thread is behind.

        Answers of another model than the reference's are left out.
        """
        try:
            self._queue.put_nowait(([item.text for item in items], results))
        except queue.Full:
            metrics.SKIPPED.inc(len(items))

    def report(self) -> DriftReport:
        """The window as it is now, against the reference."""
        with self._lock:
            window = [*self._window]
        statistics = compare(self.reference, [one for _, one in window])
        return DriftReport(
            state=worst([one.state for one in statistics]),
            posts=len(window),
            window=self._window.maxlen or 0,
            since=window[0][0] if window else None,
            reference_model=self.reference.model,
            reference_posts=self.reference.posts,
            reference_made_at=self.reference.made_at,
            statistics=statistics,
        )

    def close(self) -> None:
        """End the thread; what it has not counted yet is forgotten."""
        self._closed.set()
        with suppress(queue.Full):
            self._queue.put_nowait(([], []))  # wakes it
        self._thread.join(5)

    def _run(self) -> None:
        while not self._closed.is_set():
            batches = self._next()
            try:
                if batches:
                    self._count(batches)
                self._tell()
            except Exception as fault:  # the thread must live; its message may quote a post
                logger.error("posts were not compared: %s", type(fault).__name__)

    def _next(self) -> list[Batch]:
        """What comes next; nothing once this is closed, or when it is time to tell what came last."""
        with suppress(queue.Empty):
            batches = [self._queue.get(timeout=None if self._told else REFRESH_SECONDS)]
            self._closed.wait(PAUSE)
            with suppress(queue.Empty):
                while True:
                    batches.append(self._queue.get_nowait())
            return [] if self._closed.is_set() else batches
        return []

    def _count(self, batches: Sequence[Batch]) -> None:
        self._told = False
        pairs = self._drawn([pair for batch in batches for pair in zip(*batch, strict=True)])
        mine = [text if result.model == self.reference.model else None for text, result in pairs]
        now, found = datetime.now(UTC), [*observe(mine, [result for _, result in pairs], self._tokens)]
        with self._lock:
            self._window.extend((now, one) for one in found)

    def _tell(self) -> None:
        """Set the metrics, seldom."""
        if not self._told and not self._closed.is_set() and time.monotonic() >= self._refresh_at:
            self._refresh_at, self._told = time.monotonic() + REFRESH_SECONDS, True
            publish(self.report())

    def _drawn(self, pairs: list[Pair]) -> list[Pair]:
        """All of them, or by chance as many as the pace allows."""
        now, before = time.monotonic(), self._credited_at
        self._credit = min(self._credit + PACE * (now - before), float(self._window.maxlen or 0))
        drawn = pairs if len(pairs) <= self._credit else random.sample(pairs, int(self._credit))
        self._credit, self._credited_at = self._credit - len(drawn), now
        return drawn


def open_monitor(folder: Path | None, model_id: str) -> Monitor | None:
    """The monitor of a bundle; None, with the reason in the log, where it cannot be compared with anything."""
    from models.engine_build import load_tokens  # engines and scikit-learn: BentoML's supervisor needs none (1 s)

    settings, bundle = DriftSettings.from_env(), open_bundle(folder)
    try:
        reference = find_reference(settings, bundle)
    except ConfigError as error:
        logger.warning("no drift monitor: %s", error)
        return None
    if reference is None or reference.model != model_id:
        logger.info("no drift monitor: there are no reference statistics of %s", model_id)
        return None
    return Monitor(reference, load_tokens(bundle), settings.window)

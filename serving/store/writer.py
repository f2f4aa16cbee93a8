"""A thread that writes predictions, so that scoring never waits: to the database, else to the spool, else counted."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from serving.store import metrics, queries
from serving.store.database import Database
from serving.store.errors import RowError, StoreDownError
from serving.store.records import Prediction
from serving.store.retention import Retention
from serving.store.spool import Spool
from serving.store.standing import Standing

logger = logging.getLogger("bentoml.yujing.store")

BATCH = 500  # rows of one transaction
TICK_SECONDS = 0.5
INHERIT_SECONDS = 60.0  # between looks for what other processes of the folder left


class Writer:
    """Bounded queue in memory -> database, or -> bounded spool on disk that is replayed when the database is back."""

    def __init__(self, database: Database, spool: Spool, capacity: int, days: int) -> None:
        self._database, self._spool, self._capacity = database, spool, capacity
        self._queue: deque[Prediction] = deque()
        self._changed = threading.Condition()
        self._accepted = self._settled = 0  # rows that came in; rows in the database, spooled or given up
        self._closing = self._left = False  # no more rows come in; the thread was left behind
        self._under_way: Sequence[Prediction] = ()
        self._standing = Standing()
        self.retention = Retention(database, self._standing, days)
        self._inherit_at = time.monotonic() + INHERIT_SECONDS
        self._thread = threading.Thread(target=self._run, name="yujing-store", daemon=True)
        self._thread.start()

    def put(self, rows: Sequence[Prediction]) -> None:
        """Take rows over at once; what the queue has no room for, or comes after `close`, is dropped and counted."""
        with self._changed:
            taken = [] if self._closing else rows[: max(self._capacity - len(self._queue), 0)]
            self._queue.extend(taken)
            self._accepted += len(taken)
            self._changed.notify_all()
        metrics.QUEUE.set(len(self._queue))
        metrics.ROWS.labels("dropped").inc(len(rows) - len(taken))

    def settle(self, seconds: float) -> None:
        """Wait until every row accepted so far is in the database; StoreDownError when it is not in time."""
        with self._changed:
            target = self._accepted
            done = self._changed.wait_for(lambda: self._settled >= target, seconds)
        if not done or self._spool.rows:
            raise StoreDownError("earlier predictions are not in the database yet: try again later")

    def close(self, seconds: float = 10.0) -> None:
        """Write what waits and end the thread; where the database keeps it so long, what waits goes to the spool."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)
        if self._thread.is_alive():
            with self._changed:
                self._left = True
                left = [*self._under_way, *self._queue]  # those under way may get there too: the same rows, once
                self._queue.clear()
            logger.error("the database keeps the store's writer: %d rows go to the spool", len(left))
            self._to_disk(left)
        else:  # a thread that is left may still write there; the end of the process lets go of the file too
            self._spool.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing, TICK_SECONDS)
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
                self._under_way = batch
                last = self._closing and not self._queue
            taken = self._try(partial(self._take, batch))
            with self._changed:
                if self._left:  # `close` has dealt with them
                    return
                self._under_way = ()
            if not taken:
                metrics.ROWS.labels("dropped").inc(len(batch))
            self._try(self._catch_up)
            with self._changed:
                self._settled += len(batch)
                self._changed.notify_all()
            metrics.QUEUE.set(len(self._queue))
            metrics.SPOOL.set(self._spool.rows)
            if last:
                return

    def _try(self, step: Callable[[], None]) -> bool:
        """Whether a step went well; the thread must live, whatever happens."""
        try:
            step()
        except Exception as fault:  # its message may quote a row
            logger.error("the store's writer failed: %s", type(fault).__name__)
            return False
        return True

    def _take(self, batch: Sequence[Prediction]) -> None:
        if batch and not self._write(batch) and not self._left:
            self._to_disk(batch)

    def _catch_up(self) -> None:
        """Some of the spool, and what is due of the retention; else a look whether the database is still there."""
        if self._standing.up and time.monotonic() >= self._inherit_at:
            self._inherit_at = time.monotonic() + INHERIT_SECONDS
            self._spool.inherit()
        if self._spool.rows and self._standing.due:
            self._replay()
        self.retention.work()
        if self._standing.stale:
            self._standing.ask(self._database.look)

    def _replay(self) -> None:
        rows, lines, end = self._spool.peek(BATCH)
        if not rows or self._write(rows):
            self._spool.advance(lines, end)
            if lost := lines - len(rows):
                logger.error("%d rows of the spool cannot be read: they are lost", lost)
                metrics.ROWS.labels("refused").inc(lost)

    def _write(self, rows: Sequence[Prediction]) -> bool:
        """Whether the rows are dealt with; False while the database is down."""
        refused = self._standing.ask(partial(self._insert, rows))
        if refused is None:
            return False
        metrics.ROWS.labels("stored").inc(len(rows) - refused)
        metrics.ROWS.labels("refused").inc(refused)
        return True

    def _insert(self, rows: Sequence[Prediction]) -> int:
        """Insert together; if a row is refused, one by one, so that its neighbours are kept. How many were refused."""
        try:
            with self._database.write() as connection:
                queries.insert_predictions(connection, rows)
        except (RowError, ArithmeticError, ValueError):  # the latter two: the driver's own, before it asks the database
            return 1 if len(rows) == 1 else sum(self._insert([row]) for row in rows)
        return 0

    def _to_disk(self, rows: Sequence[Prediction]) -> None:
        try:
            kept = self._spool.append(rows)
        except OSError as error:
            logger.error("the spool cannot be written: %s", error.strerror)
            kept = 0
        metrics.ROWS.labels("spooled").inc(kept)
        metrics.ROWS.labels("dropped").inc(len(rows) - kept)

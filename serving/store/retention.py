"""What must go from the database: rows that are too old, and in SQLite's files the traces of what was deleted."""

from __future__ import annotations

import time
from datetime import timedelta

from serving.store import metrics, queries
from serving.store.database import Database
from serving.store.standing import Standing
from serving.store.steady import SteadyClock

PURGE_SECONDS = 3_600.0
NOTE_DAYS = 90  # after which the note of a deletion goes where predictions stay for ever: a spool must be back by then
AGAIN_SECONDS = 5.0  # between attempts at what did not come to its end


class Retention:
    """`days` after which a prediction goes, 0 = never (notes of deletions do all the same).

    The writer's thread works; any may say that there are traces.
    """

    def __init__(self, database: Database, standing: Standing, days: int) -> None:
        self._database, self._standing, self._days = database, standing, days
        self._clock = SteadyClock()
        self._purge_at = self._forget_at = 0.0
        self._traces = True  # a process that was killed may have left some

    def note_traces(self) -> None:
        """Something was deleted whose traces could not be removed now."""
        self._traces = True

    def work(self) -> None:
        """Do some of what is due; a fault is tried again later."""
        now = time.monotonic()
        if self._standing.due and now >= self._purge_at:
            self._purge_at = now + AGAIN_SECONDS
            self._purge()
        if self._traces and self._standing.due and now >= self._forget_at:
            self._forget_at = now + AGAIN_SECONDS
            self._forget()

    def _purge(self) -> None:
        gone = self._standing.ask(self._delete_old)
        if gone is None:
            return
        metrics.ROWS.labels("purged").inc(gone)
        self._traces = self._traces or gone > 0
        if gone < queries.PURGED:
            self._purge_at = time.monotonic() + PURGE_SECONDS

    def _delete_old(self) -> int:
        now = self._clock.now()
        with self._database.write() as connection:
            if self._days:
                return queries.purge(connection, now - timedelta(days=self._days))
            queries.purge_notes(connection, now - timedelta(days=NOTE_DAYS))
        return 0

    def _forget(self) -> None:
        """Without waiting for readers, as rows wait meanwhile; nor does it show that the database can be written."""
        self._traces = False  # before, as another thread may set it meanwhile
        if not self._database.forget_journal(wait=False):
            self._traces = True

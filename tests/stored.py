"""What the tests of the store share: answers to keep, a look into the tables, a database that goes away."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from keyword_scorer import KeywordScorer
from postgres import PostgresServer
from prometheus_client import REGISTRY

from data.records import Item
from serving.store.database import Database
from serving.store.errors import StoreDownError
from serving.store.memory import Memory
from serving.store.records import Correction, Prediction
from serving.store.rows import to_row, with_ids
from serving.store.settings import StoreSettings
from serving.store.tables import predictions

PHONE = "13812345678"
TEXT = f"假货，打我电话{PHONE}"
NOW = datetime(2026, 3, 15, tzinfo=UTC)


def answer(memory: Memory, *texts: str) -> list[str]:
    """Score texts as the service does; their prediction ids."""
    items = [Item(id=f"c{index}", text=text) for index, text in enumerate(texts)]
    results = memory.remember(items, KeywordScorer().score(items), 0.25)
    return [result.prediction_id or "" for result in results]


def right(prediction_id: str, **changes: Any) -> Correction:
    return Correction(**{"prediction_id": prediction_id, "who": "王", "category": "false_advertising", **changes})


def rows(settings: StoreSettings, table: sa.Table = predictions) -> list[dict[str, Any]]:
    base = Database(settings.database())
    try:
        with base.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    finally:
        base.close()


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait; while one connection makes a database ready, it may be busy for longer than an impatient one waits."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(StoreDownError):
            if true():
                return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Outage:
    """Another process holds SQLite's write lock, or PostgreSQL is stopped."""

    def __init__(self, settings: StoreSettings, server: PostgresServer | None) -> None:
        self._server, self._path = server, settings.folder / "yujing.sqlite3"
        self.on = False

    def begin(self) -> None:
        self.on = True
        if self._server:
            self._server.stop()
        else:
            self._lock = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._lock.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        self.on = False
        if self._server:
            self._server.start()
        else:
            self._lock.execute("ROLLBACK")
            self._lock.close()


def spool_rows(count: int, at: datetime = NOW) -> list[Prediction]:
    items = [Item(id=str(index), text="假货") for index in range(count)]
    results = with_ids(KeywordScorer().score(items))
    return [to_row(*pair, at, 1.0, 1, "masked") for pair in zip(items, results, strict=True)]

"""An empty store on SQLite and on a real PostgreSQL server, which can go away; a plugin of the tests that name it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres import PostgresServer, postgres_server
from stored import Outage

from data.taxonomy import load_taxonomy
from serving.store import database, retention, standing
from serving.store.database import Database
from serving.store.memory import Memory
from serving.store.settings import StoreSettings


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreSettings]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        yield StoreSettings(folder=tmp_path)
        return
    url = request.getfixturevalue("postgres").url
    settings = StoreSettings(folder=tmp_path, url=url)
    yield settings
    base = Database(settings.database())
    with base.engine.begin() as connection:
        for table in ("feedback", "predictions", "deletions", "alembic_version"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {table}"))
    base.close()


@pytest.fixture
def memory(settings: StoreSettings) -> Iterator[Memory]:
    memory = Memory(settings, load_taxonomy())
    yield memory
    memory.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for what people would wait for."""
    for module, name in ((standing, "RETRY_SECONDS"), (standing, "LOOK_SECONDS"), (retention, "AGAIN_SECONDS")):
        monkeypatch.setattr(module, name, 0.2)
    monkeypatch.setattr("serving.store.memory.SETTLE_SECONDS", 1.0)
    monkeypatch.setitem(database.OPTIONS, "sqlite", {"connect_args": {"timeout": 0.1}})


@pytest.fixture
def outage(settings: StoreSettings, impatient: None, request: pytest.FixtureRequest) -> Iterator[Outage]:
    outage = Outage(settings, request.getfixturevalue("postgres") if settings.url else None)
    yield outage
    if outage.on:
        outage.end()

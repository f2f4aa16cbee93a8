"""A file of SQLite that is exchanged under its connections: what stands there now counts, whole and alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from stored import NOW

from serving.store import database
from serving.store.database import Database
from serving.store.migrate import migrate
from serving.store.tables import deletions


@pytest.fixture(params=["file", "link"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the file lies; `named` may be a link to it."""
    return tmp_path / ("yujing.sqlite3" if request.param == "file" else "elsewhere.sqlite3")


@pytest.fixture
def named(store: Path) -> sa.URL:
    link = store.with_name("yujing.sqlite3")
    if link != store:
        link.symlink_to(store)
    return sa.URL.create("sqlite", database=str(link))


def note(base: Database, *ids: str) -> None:
    with base.write() as connection:
        connection.execute(sa.insert(deletions), [{"id": one, "at": NOW} for one in ids])


def noted(base: Database) -> set[str]:
    with base.read() as connection:
        return {*connection.scalars(sa.select(deletions.c.id))}


def on_disk(path: Path) -> set[str]:
    """What another process reads there."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {one for (one,) in connection.execute("SELECT id FROM deletions")}


def backup(path: Path) -> Path:
    target = path.with_suffix(".backup")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


@pytest.mark.parametrize("reading", [False, True])
def test_a_backup_that_is_put_there_is_read_without_the_journal_of_the_file_before(
    reading: bool, store: Path, named: sa.URL
) -> None:
    base = Database(named)
    note(base, "old")
    copy = backup(store)
    note(base, *(f"later {number:0100}" for number in range(1_000)))
    with ExitStack() as stack:
        if reading:  # meanwhile, in another thread say
            stack.enter_context(base.read()).execute(sa.select(deletions.c.id)).all()
        os.replace(copy, store)
        assert noted(base) == {"old"}
        note(base, "new")
    assert noted(base) == {"old", "new"} == on_disk(store)
    base.close()
    assert on_disk(store) == {"old", "new"}


def test_only_the_owner_reads_what_is_made_and_nothing_of_it_is_called_lost(
    store: Path, named: sa.URL, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Database(named)) as base:
        note(base, "one")
        note(base, "two")
        made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.parent.glob(f"{store.name}*")}
    assert made == dict.fromkeys((store.name, f"{store.name}-wal", f"{store.name}-shm"), 0o600)
    assert not caplog.records


@pytest.mark.parametrize("put_back", [False, True])
def test_a_file_that_is_exchanged_while_it_is_made_ready_is_noticed(
    put_back: bool, store: Path, named: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may wait for another's lock for seconds, and what comes to stand there meanwhile is not what it holds."""
    with closing(Database(named)) as first:
        note(first, "old")
        copy = backup(store)
        note(first, "later")

    def exchanged(connection: sa.Connection) -> None:
        monkeypatch.undo()
        migrate(connection)
        os.replace(copy, store) if put_back else store.unlink()

    monkeypatch.setattr(database, "migrate", exchanged)
    base = Database(named)
    noted(base)
    note(base, "new")
    assert on_disk(store) == ({"old", "new"} if put_back else {"new"})
    base.close()

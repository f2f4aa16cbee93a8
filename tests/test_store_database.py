"""The database: tables as the code expects them, a private file, one attempt to connect at a time."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres import PostgresServer
from stored import metric, rows, spool_rows

from data.taxonomy import load_taxonomy
from serving.store import database, queries
from serving.store.database import Database
from serving.store.errors import RowError, StoreDownError
from serving.store.memory import Memory
from serving.store.migrate import config
from serving.store.settings import StoreSettings
from serving.store.tables import deletions, feedback, metadata

pytest_plugins = ["store_fixtures"]


def test_the_migrations_make_what_the_code_expects(settings: StoreSettings) -> None:
    base = Database(settings.database())
    with base.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with base.engine.execution_options(immediate=True).begin() as connection:
        command.downgrade(config(connection), "base")
    assert sa.inspect(base.engine).get_table_names() == ["alembic_version"]
    base.close()


def test_sqlite_writes_ahead_and_syncs(tmp_path: Path) -> None:
    base, names = Database(StoreSettings(folder=tmp_path).database()), ("journal_mode", "synchronous")
    with base.read() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    base.close()
    assert found == {"journal_mode": "wal", "synchronous": 2}


def test_only_the_owner_reads_the_file_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        base = Database(StoreSettings(folder=tmp_path).database())
        with base.read() as connection:
            connection.execute(sa.select(feedback))
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        base.close()
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("yujing.sqlite3", "yujing.sqlite3-wal", "yujing.sqlite3-shm"), 0o600)


def test_tables_of_a_newer_version_are_told_as_such_and_left_alone(tmp_path: Path) -> None:
    base, version = Database(StoreSettings(folder=tmp_path).database()), "SELECT version_num FROM alembic_version"
    base.look()
    base.close()
    with closing(sqlite3.connect(tmp_path / "yujing.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(StoreDownError, match="tables are of another Yujing: use the newest that wrote it"):
            Database(StoreSettings(folder=tmp_path).database()).look()
        assert connection.execute(version).fetchall() == [("9999",)]


@pytest.mark.parametrize("spoil", ["no database", "half of it", "no version", "a table of its own", "a lock"])
def test_only_for_a_database_that_is_fit_for_use_it_is_worth_to_wait(
    tmp_path: Path, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.OPTIONS["sqlite"]["connect_args"], "timeout", 0)
    base, path = Database(StoreSettings(folder=tmp_path).database()), tmp_path / "yujing.sqlite3"
    base.look()
    base.close()
    statements = {"no version": "DROP TABLE alembic_version", "a lock": "BEGIN EXCLUSIVE"}
    blobs = {"no database": b"no database" * 500, "half of it": path.read_bytes()[: path.stat().st_size // 2]}
    if spoil == "a table of its own":
        path.unlink()
        statements[spoil] = "CREATE TABLE predictions (id)"
    elif spoil in blobs:
        path.write_bytes(blobs[spoil])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if spoil in statements:
            connection.execute(statements[spoil])
        with pytest.raises(StoreDownError) as told:
            Database(StoreSettings(folder=tmp_path).database()).look()
    assert str(told.value).endswith("try again later") == (spoil == "a lock")
    assert ("damaged, or no database: move it away" in str(told.value)) == (spoil in blobs)


@pytest.mark.parametrize(
    ("pragma", "why"), [("max_page_count = 1", "disk is full: make room"), ("query_only = 1", "cannot be written")]
)
def test_a_disk_that_is_full_or_read_only_is_told_as_such(pragma: str, why: str, tmp_path: Path) -> None:
    base = Database(StoreSettings(folder=tmp_path).database())
    base.look()
    base.close()
    sa.event.listen(base.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))
    with pytest.raises(StoreDownError, match=why), base.write() as connection:
        connection.execute(sa.insert(deletions), [{"id": str(n), "at": datetime.now(UTC)} for n in range(1_000)])
    base.close()


def test_a_folder_that_is_gone_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StoreDownError, match="cannot be written: its folder must be there"):
        Database(StoreSettings(folder=tmp_path / "gone").database()).look()


def test_a_network_that_swallows_everything_is_given_up_after_seconds(postgres: PostgresServer, tmp_path: Path) -> None:
    base = Database(StoreSettings(folder=tmp_path, url=postgres.url).database())
    with closing(base.engine.raw_connection()) as connection:
        known = connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    base.close()
    assert {"tcp_user_timeout": "10000", "keepalives_idle": "5", "keepalives_interval": "1"}.items() <= known.items()


def test_a_server_that_is_stopped_is_given_up_after_seconds(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernel still acknowledges what is sent, so TCP's own limits never come."""
    monkeypatch.setattr(database, "SILENT_SECONDS", 0.5)
    base = Database(StoreSettings(folder=tmp_path, url=postgres.url).database())
    base.look()
    try:
        with base.write() as connection:
            server = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            os.kill(server, signal.SIGSTOP)
            with pytest.raises(sa.exc.OperationalError):
                connection.execute(sa.select(1))
            raise RowError("done")  # what is left of the transaction is not worth waiting for
    except (RowError, StoreDownError):
        pass
    finally:
        os.kill(server, signal.SIGCONT)
    base.look()
    base.close()


def test_what_the_address_says_of_the_connection_counts(postgres: PostgresServer, tmp_path: Path) -> None:
    url = f"{postgres.url}&options=-csearch_path%3Dpg_catalog&connect_timeout=30"
    base = Database(StoreSettings(folder=tmp_path, url=url).database())
    with closing(base.engine.raw_connection()) as connection:
        known = connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
        cursor = connection.cursor()
        found = {name: cursor.execute(f"SHOW {name}").fetchone()[0] for name in ("search_path", "statement_timeout")}
    base.close()
    assert found == {"search_path": "pg_catalog", "statement_timeout": "5s"}
    assert known["connect_timeout"] == "30"


def test_a_moment_is_kept_whatever_its_zone(settings: StoreSettings) -> None:
    at = datetime(2026, 3, 15, 4, 30, 0, 250_000, timezone(timedelta(hours=8)))
    base = Database(settings.database())
    with base.write() as connection:
        queries.insert_predictions(connection, spool_rows(1, at))
    base.close()
    [found] = [row["at"] for row in rows(settings)]
    assert (found, found.utcoffset()) == (at, timedelta(0))


def test_a_row_that_is_refused_costs_its_neighbours_nothing_and_is_not_quoted(settings: StoreSettings) -> None:
    base, [good, bad] = Database(settings.database()), spool_rows(2, datetime.now(UTC))
    unwritable = replace(bad, model=None)  # type: ignore[arg-type]
    with pytest.raises(RowError) as caught, base.write() as connection:
        queries.insert_predictions(connection, [good, unwritable])
    assert "假货" not in str(caught.value)
    before = metric("yujing_store_rows_total", outcome="refused")
    memory = Memory(settings, load_taxonomy())
    memory._writer.put([good, unwritable])
    memory.close()
    base.close()
    assert [row["id"] for row in rows(settings)] == [good.id]
    assert metric("yujing_store_rows_total", outcome="refused") == before + 1


class Door:
    """A lock that tells who has come to it."""

    def __init__(self) -> None:
        self._lock, self.come = threading.Lock(), threading.Semaphore(0)

    def __enter__(self) -> None:
        self.come.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_who_comes_while_another_connects_shares_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, go = [], threading.Event()

    def unreachable(_: object) -> None:
        attempts.append(1)
        assert go.wait(20)
        raise sa.exc.OperationalError("connect", {}, OSError())

    def ask() -> None:
        try:
            with base.read():
                answers.append("an answer")
        except StoreDownError:
            answers.append("down")

    base, door, answers = Database(StoreSettings(folder=tmp_path).database()), Door(), list[str]()
    monkeypatch.setattr(base, "_lock", door)
    monkeypatch.setattr(database, "migrate", unreachable)
    callers = [threading.Thread(target=ask) for _ in range(5)]
    for caller in callers:
        caller.start()
    for _ in callers:
        assert door.come.acquire(timeout=20)
    go.set()
    for caller in callers:
        caller.join(20)
    assert (answers, len(attempts)) == (["down"] * 5, 1)
    monkeypatch.undo()
    with base.read():  # who comes later tries again
        pass
    base.close()

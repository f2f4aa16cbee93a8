"""The connection to the database: ready when it can be, and one plain error while it cannot be reached."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
    StatementError,
)

from data.errors import ConfigError
from serving.store.deadline import cut_when_silent
from serving.store.errors import RowError, StoreDownError
from serving.store.migrate import migrate
from serving.store.sqlite_file import SqliteFile

logger = logging.getLogger("bentoml.yujing.store")

OPENED = "opened"  # of a connection's own notes: which file stood there when it was opened
BUSY_SECONDS = 5  # how long a statement waits for another process' lock
SILENT_SECONDS = 2 * BUSY_SECONDS  # after which a server that says nothing at all is given up
PRAGMAS = (
    "journal_mode = WAL",  # readers never wait for the writer
    "synchronous = FULL",  # a commit is on the disk before it is answered; NORMAL would risk a power cut
    "foreign_keys = ON",
    "secure_delete = ON",  # what was deleted is overwritten
)
DAMAGED = "the database's file is damaged, or no database: move it away, or put a copy that is whole in its place"
FOREIGN = "the database's tables are not as Yujing makes them: give a folder or a database of its own"
UNWRITABLE = "the database's file cannot be written: its folder must be there, on a disk that can be written"
UNFIT: dict[object, str] = {  # by SQLite's code, or PostgreSQL's: a table that is there already
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_ERROR: FOREIGN,
    sqlite3.SQLITE_CANTOPEN: UNWRITABLE,
    sqlite3.SQLITE_READONLY: UNWRITABLE,
    sqlite3.SQLITE_FULL: "the database's disk is full: make room",
    "42P07": FOREIGN,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"connect_args": {"timeout": BUSY_SECONDS}},
    "postgresql": {
        "connect_args": {
            "connect_timeout": BUSY_SECONDS,
            "options": f"-c statement_timeout={BUSY_SECONDS}s -c timezone=UTC",
            # a network that swallows what is sent: a quarter of an hour without these, and the writer waits for it
            "tcp_user_timeout": 2_000 * BUSY_SECONDS,
            "keepalives_idle": BUSY_SECONDS,
            "keepalives_interval": 1,
        },
        "pool_pre_ping": True,  # a server that was restarted costs no request
    },
}


def _options(url: URL) -> dict[str, Any]:
    """OPTIONS for an address; what the address itself says comes after ours, or in its place."""
    options = OPTIONS[url.get_backend_name()]
    given = {name: value if isinstance(value, str) else " ".join(value) for name, value in url.query.items()}
    own = {name: value for name, value in options["connect_args"].items() if name not in given}
    if "options" in given and "options" in options["connect_args"]:
        own["options"] = f"{options['connect_args']['options']} {given['options']}"
    return {**options, "connect_args": own}


class Database:
    """An engine whose tables are brought to the newest form at first use, whenever the database answers."""

    def __init__(self, url: URL) -> None:
        kind = url.get_backend_name()
        try:
            self.engine = create_engine(url, hide_parameters=True, **_options(url))
        except (ImportError, NoSuchModuleError) as error:
            remedy = "pip install -c constraints.txt -e '.[postgres]'"
            raise ConfigError(f"{kind} needs a driver ({error}): {remedy}") from None
        self._file = SqliteFile(url)
        if kind == "sqlite":
            _prepare_sqlite(self.engine, self._file)
        elif "statement_timeout" not in str(url.query.get("options")):  # who allows longer work knows why
            cut_when_silent(self.engine, SILENT_SECONDS)
        self.kind = kind
        self._writing = self.engine.execution_options(immediate=True)
        self._ready, self._failures = False, 0
        self._lock = threading.Lock()

    def _ensure_ready(self) -> None:
        """Who comes while another connects waits for that attempt and shares its end, else each would wait for all."""
        failures = self._failures
        with self._lock:
            self._leave_lost_file()
            if self._ready:
                return
            if self._failures != failures:
                raise StoreDownError("the database does not answer: try again later")
            try:
                with self._writing.begin() as connection:
                    migrate(connection)
                    opened = connection.info.get(OPENED)
            except Exception:
                self._failures += 1
                raise
            self._file.hold(opened)
            self._ready = True

    def _leave_lost_file(self) -> None:
        """Begin anew where SQLite's file was deleted or exchanged.

        What is written to the old one, which the connections still hold, nobody can read once they end.
        """
        if self._ready and self._file.lost:
            logger.error("the store's file was deleted or exchanged: what was in it is not there any more")
            self._file.drop_journal()
            self.engine.dispose()
            self._ready = False

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """The type of a fault only: a database's message may quote a row."""
        try:
            yield
        except (DataError, IntegrityError) as error:
            raise RowError(type(error).__name__) from None
        except CommandError:
            raise StoreDownError("the database's tables are of another Yujing: use the newest that wrote it") from None
        except SQLAlchemyError as error:
            if isinstance(error, StatementError) and not isinstance(error, DBAPIError):  # it never left this process
                raise RowError(_kind(error)) from None
            raise StoreDownError(_why(error)) from None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block ends; RowError or StoreDownError."""
        with self._plain_errors():
            self._ensure_ready()
            with self._writing.begin() as connection:
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot; StoreDownError when there is none."""
        with self._plain_errors():
            self._ensure_ready()
            with self.engine.begin() as connection:
                yield connection

    def look(self) -> None:
        """Begin and end a transaction that could write; StoreDownError. Nothing comes on the disk."""
        with self.write() as connection:
            connection.execute(select(1))

    def forget_journal(self, wait: bool = True) -> bool:
        """Move SQLite's journal into the file and cut it, so that no deleted text stays in either.

        False where the text is still there: a reader, for which it may wait, needs the journal, or the disk is full.
        """
        if self.kind != "sqlite":
            return True
        try:
            with closing(self.engine.raw_connection()) as connection:
                return _checkpoint(connection.cursor(), wait)
        except (sqlite3.Error, SQLAlchemyError):
            return False

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _kind(error: Exception) -> str:
    return type(getattr(error, "orig", None) or error).__name__


def _why(error: Exception) -> str:
    """What helps: only a database that is fit for use is worth waiting for."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    unfit = UNFIT.get(getattr(cause, "sqlstate", None) if code is None else code & 0xFF)
    return unfit or f"the database does not answer ({_kind(error)}): try again later"


def _checkpoint(cursor: Any, wait: bool) -> bool:
    [(usual,)] = cursor.execute("PRAGMA busy_timeout").fetchall()
    try:
        if not wait:
            cursor.execute("PRAGMA busy_timeout = 0")
        [(busy, *_)] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
    return not busy


def _prepare_sqlite(engine: Engine, file: SqliteFile) -> None:
    """A file that only its owner reads, and our own BEGIN.

    The driver's begins too late: a transaction that reads and then writes could not wait.
    """

    @event.listens_for(engine, "do_connect")
    def create(_dialect: Any, record: Any, _arguments: Any, _options: Any) -> None:
        file.make()
        record.info[OPENED] = file.found()

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN"
        )

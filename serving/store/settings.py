"""What is remembered, where and for how long; off until a folder is named, as nobody should keep posts unasked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from data.errors import ConfigError
from serving.environment import checked, written

if TYPE_CHECKING:
    from sqlalchemy import URL

FOLDER, DATABASE = "YUJING_STORE", "DATABASE_URL"
VARIABLES = {
    "folder": FOLDER,
    "url": DATABASE,
    "keep_text": "YUJING_STORE_TEXT",
    "days": "YUJING_STORE_DAYS",
    "queue": "YUJING_STORE_QUEUE",
    "spool": "YUJING_STORE_SPOOL",
}
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}

MAX_DAYS = 36_500  # a century; the calendar ends two thousand years ago, where counting back would fail

MAX_PORT = 65_535

Rows = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`folder`: of the SQLite file and of the spool; `url`: another database instead of that file; `keep_text`:
    personal identifiers starred out, or no text at all; `days` after which a prediction and its corrections are
    deleted (0 = never); `queue` and `spool`: rows that may wait in memory, and on disk while the database is down.
    """

    folder: Path
    url: str | None = None
    keep_text: Literal["masked", "none"] = "masked"
    days: Annotated[int, Field(ge=0, le=MAX_DAYS)] = 90
    queue: Rows = 10_000
    spool: Rows = 200_000

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, folder: Path | None = None) -> StoreSettings | None:
        """Read YUJING_STORE, DATABASE_URL and YUJING_STORE_*; None when no folder is named: nothing is stored.

        ConfigError for an unusable value.
        """
        env = os.environ if env is None else env
        given: dict[str, object] = {name: env[key] for name, key in VARIABLES.items() if env.get(key)}
        if folder is not None:
            given["folder"] = folder
        if "folder" not in given:
            return None
        settings = checked(cls, given, lambda name: written(VARIABLES[name], given[name]))
        settings.database()
        return settings

    def make_folder(self) -> None:
        """Make the folder where there is none; ConfigError where it cannot be made or written."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            TemporaryDirectory(prefix=".", dir=self.folder).cleanup()
        except OSError as error:
            why = f"{error.strerror}: name a folder that can be written"
            raise ConfigError(f"{FOLDER} or --store: {self.folder}: {why}") from None

    def to_env(self) -> dict[str, str]:
        """The folder for a child process that runs elsewhere; it inherits the rest."""
        return {FOLDER: str(self.folder.absolute())}

    def database(self) -> URL:
        """The database's address with the driver that Yujing uses; the ConfigError never shows a password."""
        from sqlalchemy import URL, make_url  # half a second that a service without a store need not wait
        from sqlalchemy.exc import ArgumentError

        if self.url is None:
            return URL.create("sqlite", database=str(self.folder.absolute() / "yujing.sqlite3"))
        try:
            url = make_url(self.url)
            if "@" in (url.host or ""):  # the end of a password, which would be asked for as a host
                raise ValueError
        except (ArgumentError, ValueError):  # the latter also for a port; SQLAlchemy's words may hold the password
            form = "postgresql://user:password@host:5432/name, with %40 for an @ of the password"
            raise ConfigError(f"{DATABASE} is no address: give {form}") from None
        if url.port is not None and not 0 < url.port <= MAX_PORT:
            raise ConfigError(f"{DATABASE} names the port {url.port}: give one of 1 to {MAX_PORT}")
        kind = url.drivername.partition("+")[0]
        if kind not in DRIVERS:
            raise ConfigError(f"{DATABASE} names {kind!r}: give one of {', '.join(DRIVERS)}")
        if kind == "sqlite" and ":memory:" in (url.database or ":memory:"):  # each thread would have one of its own
            raise ConfigError(f"{DATABASE} names no file: give sqlite:///FILE, or leave it out")
        return url.set(drivername=DRIVERS[kind])


def require(folder: Path | None) -> StoreSettings:
    """The settings of a store that is there already; ConfigError when none is named or there is none."""
    settings = StoreSettings.from_env(folder=folder)
    if settings is None:
        raise ConfigError(f"no store is named: give --store FOLDER or set {FOLDER}")
    if not settings.folder.is_dir():
        raise ConfigError(f"{settings.folder}: no such folder: name the one that the service was started with")
    url = settings.database()
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        why = f"name the folder that the service was started with, or its database in {DATABASE}"
        raise ConfigError(f"{settings.folder}: no store is there ({url.database} is missing): {why}")
    return settings

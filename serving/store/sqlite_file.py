"""SQLite's file under its connections: somebody may delete or exchange it while they hold it."""

from __future__ import annotations

import os
from contextlib import suppress

from sqlalchemy import URL

from data.files import identity

Identity = tuple[int, int]

BESIDE = ("-wal", "-shm")  # the journal and its index


class SqliteFile:
    """The file of a database, and what SQLite keeps beside it; for a `file:` address or another database, none.

    Where its name is a link, both lie where that leads.
    """

    def __init__(self, url: URL) -> None:
        name = url.database or ""
        self._name = name if url.get_backend_name() == "sqlite" and not name.startswith("file:") else None
        self._held: dict[str, Identity | None] = {}

    def _path(self, beside: str = "") -> str:
        return os.path.realpath(self._name or "") + beside

    def make(self) -> None:
        """An empty file that only its owner reads, whose mode the journal inherits.

        One that is there is not opened: closing it would end SQLite's locks.
        """
        if self._name is not None:
            with suppress(OSError):  # SQLite says what is wrong
                os.close(os.open(self._path(), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def found(self, beside: str = "") -> Identity | None:
        """What stands now where the file belongs, or beside it, if anything."""
        return None if self._name is None else identity(self._path(beside))

    def hold(self, opened: Identity | None) -> None:
        """The connections hold what was found before they `opened` it."""
        self._held = {"": opened, **{name: self.found(name) for name in BESIDE}}

    @property
    def lost(self) -> bool:
        """Whether another file, or none, stands where the one belongs that is held."""
        return self.found() != self._held.get("")

    def drop_journal(self) -> None:
        """Take away what the lost file left beside it: SQLite would read it into the file that stands there now."""
        for name in BESIDE:
            if (held := self._held.get(name)) is not None and held == self.found(name):
                with suppress(OSError):
                    os.unlink(self._path(name))

"""Rows on disk while the database is down: JSON lines in a file that one process holds, bounded, read again later."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import count, islice
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from data.files import identity
from serving.store.records import Prediction
from serving.writable import private

_ROW = TypeAdapter(Prediction)

logger = logging.getLogger("bentoml.yujing.store")


class Spool:
    """The first `spool-N.jsonl` of `folder` that no living process holds; once empty, it takes over those of dead ones.

    Only the writer's thread touches it. `rows` counts what waits; a torn last line (a process that was killed) is
    skipped when it is read. Where reading has come to is not on disk: after a kill the file is read from its start,
    which the database bears (`queries.insert_predictions`).
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.limit = limit
        self._hold(folder)
        self.inherit()

    def _hold(self, folder: Path) -> None:
        self.path, self._lock = _claim(folder)
        self._held = identity(self._lock.lock_file)
        self._offset = 0
        self.rows = _count_lines(self.path)

    def _leave_lost_folder(self) -> None:
        """Begin anew where the folder was deleted and made again: the lock in the old one keeps nobody from a file."""
        if self.path.parent.is_dir() and identity(self._lock.lock_file) != self._held:
            logger.error("%s was deleted or exchanged: a spool is claimed anew", Path(self._lock.lock_file).name)
            self._lock.release()
            self._hold(self.path.parent)

    def append(self, rows: Sequence[Prediction]) -> int:
        """Write as many rows as the limit allows; how many were written. OSError when the disk is full: then none."""
        self._leave_lost_folder()
        kept = rows[: max(self.limit - self.rows, 0)]
        if kept:
            self._write(b"".join(_ROW.dump_json(row) + b"\n" for row in kept))
            self.rows += len(kept)
        return len(kept)

    def _write(self, blob: bytes) -> None:
        """All or nothing: half a line would swallow the row that follows it."""
        size = self.path.stat().st_size if self.path.exists() else 0
        try:
            with open(self.path, "ab", opener=private) as file:
                file.write(blob)
        except OSError:
            with suppress(OSError):
                os.truncate(self.path, size)
            raise

    def peek(self, limit: int) -> tuple[list[Prediction], int, int]:
        """The next rows (at most `limit` lines), how many lines they were, and where the lines end."""
        self._leave_lost_folder()
        if not self.path.exists():
            return [], 0, 0
        with self.path.open("rb") as file:
            file.seek(self._offset)
            lines = list(islice(file, limit))
            return [row for line in lines if (row := _read(line))], len(lines), file.tell()

    def advance(self, lines: int, end: int) -> None:
        """Forget lines that `peek` gave and that are now in the database; the file goes with its last line."""
        self._offset = end
        if self.path.exists() and end < self.path.stat().st_size:
            self.rows = max(self.rows - lines, 0)
            return
        self.path.unlink(missing_ok=True)
        self._offset = 0
        self.rows = _take_over(self.path)  # never 0 in between: `Writer.settle` would believe that all is stored

    def inherit(self) -> None:
        """Take over the file of a process that ended, unless rows wait here: those go first."""
        self._leave_lost_folder()
        if not self.rows:
            self.rows = _take_over(self.path)

    def close(self) -> None:
        """Let another process have it."""
        self._lock.release()


def _claim(folder: Path) -> tuple[Path, FileLock]:
    for number in count():
        lock = _lock(folder / f"spool-{number}.jsonl")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return folder / f"spool-{number}.jsonl", lock
    raise AssertionError("count() has no end")


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"), thread_local=False)  # whoever closes the spool need not have opened it


def _take_over(path: Path) -> int:
    """Move the first file that no living process holds to `path`, where nothing waits; how many rows it has, or 0."""
    for left in sorted(path.parent.glob("spool-*.jsonl")):
        if left == path:
            continue
        try:
            with _lock(left).acquire(timeout=0):
                if rows := _count_lines(left):
                    os.replace(left, path)
                    return rows
                left.unlink(missing_ok=True)
        except Timeout:
            continue  # its process lives
        except OSError as error:
            logger.warning("%s cannot be taken over: %s", left.name, error.strerror)
    return 0


def _count_lines(path: Path) -> int:
    """Lines that a dead process left; a torn last line is ended, so that the next row stands alone."""
    if not path.exists() or not path.stat().st_size:
        return 0
    with path.open("rb+") as file:
        lines = sum(1 for _ in file)
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return lines


def _read(line: bytes) -> Prediction | None:
    try:
        return _ROW.validate_json(line)
    except ValidationError:
        return None

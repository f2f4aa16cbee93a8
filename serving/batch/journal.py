"""The working folder of a run: shards that are done, so that a run that was killed goes on where it was."""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import serving.writable
from data.errors import InputError
from data.files import put_in_place

MANIFEST = "manifest.jsonl"
KEY = 16  # hexadecimal digits of the job's digest in the folder's name
REMEDIES = {
    errno.ENAMETOOLONG: "give a shorter name; hidden names beside it are 25 bytes longer, a Chinese character has 3",
    **dict.fromkeys(serving.writable.FULL, "make room and repeat the command: what is done is kept"),
}

UNFINISHED = (
    "%s: an unfinished run with other options, bundle, input or version of Yujing is kept until this one has ended "
    "well: to go on with it, stop this one and repeat that one exactly"
)

logger = logging.getLogger(__name__)

writing = partial(serving.writable.writing, remedies=REMEDIES)


class Journal:
    """Finished shards by number. A shard counts once its line stands in the manifest, and its bytes fit that line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = {number: rows for number, rows, digest in self._recorded() if self._fits(number, digest)}

    def save(self, number: int, blob: bytes, rows: int) -> None:
        """Keep a shard for good: file, then name, then manifest, each on the disk before the next begins."""
        part = self.folder / "shard.part"
        part.write_bytes(blob)
        put_in_place(part, self._path(number))
        entry = {"shard": number, "rows": rows, "sha256": hashlib.sha256(blob).hexdigest()}
        with (self.folder / MANIFEST).open("ab") as file:
            file.write(b"\n" + json.dumps(entry).encode() + b"\n")  # the first ends a line that was torn by a kill
            file.flush()
            os.fsync(file.fileno())
        self.rows[number] = rows

    def read(self, number: int) -> bytes:
        """The bytes of a shard."""
        return self._path(number).read_bytes()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.shard"

    def _recorded(self) -> Iterator[tuple[int, int, str]]:
        path = self.folder / MANIFEST
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
                yield entry["shard"], entry["rows"], entry["sha256"]
            except (ValueError, KeyError, TypeError):  # empty, or torn by a kill
                continue

    def _fits(self, number: int, digest: str) -> bool:
        try:
            return hashlib.sha256(self.read(number)).hexdigest() == digest
        except OSError:
            return False


@contextmanager
def open_journal(target: Path, digest: str) -> Iterator[Journal]:
    """The journal of the job `digest` that writes `target`, beside it; gone once the job has ended well.

    What other jobs left for the same target (another input, model or option) is told, and stays until then: a mistyped
    command must not cost the hours of the right one. InputError: such a job is running now, or nothing can be written.
    """
    folder = target.with_name(f".{target.name}.{digest[:KEY]}.yujing")
    with _only_one(target.with_name(f".{target.name}.lock"), target):
        with writing(target):
            others = [one for one in _folders(target) if one != folder]
            if any((one / MANIFEST).exists() for one in others):
                logger.warning(UNFINISHED, target)
            folder.mkdir(exist_ok=True)
            journal = Journal(folder)
        try:
            yield journal
        except BaseException:
            if not journal.rows:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        for one in others:
            shutil.rmtree(one, ignore_errors=True)
        with writing(target):
            shutil.rmtree(folder)


def _folders(target: Path) -> Iterator[Path]:
    """Those of all jobs that write `target`."""
    return target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * KEY}.yujing")


@contextmanager
def _only_one(lock: Path, target: Path) -> Iterator[None]:
    """Hold a lock that the system frees with the process, however that ends."""
    with writing(target):
        file = lock.open("wb")
    with file:
        with writing(target):
            if not _is_ours(file, lock):
                raise InputError(f"{target} is being written by another run: wait for it, or stop it")
        try:
            yield
        finally:
            with writing(target):
                lock.unlink()


def _is_ours(file: BinaryIO, lock: Path) -> bool:
    """Lock the open file, unless somebody has; one that its owner has just removed is no lock any more."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.path.samestat(os.fstat(file.fileno()), lock.stat())
    except FileNotFoundError:
        return False

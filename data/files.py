"""Files and folders that appear whole: who looks sees the old one or the new one, never half of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def real(path: Path) -> Path:
    """The path, or where it leads if it is a link: the name that a replacement must have for the link to stay.

    A link into a folder that is not there leads nowhere, and is replaced itself.
    """
    found = Path(os.path.realpath(path))
    return found if os.path.islink(path) and found.parent.is_dir() else path  # an unusable name is no link


def identity(path: str | Path) -> tuple[int, int] | None:
    """Which file stands at a path now, if any: another one has another identity, of whatever name."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def whole(path: Path, within: Path | None = None, first: bool = False) -> Iterator[Path]:
    """A free name for a file or a folder to be made there; it becomes `path` only if all went well, and was made.

    The name lies in a new hidden folder beside `path`, or in `within`, which must be on the same disk; after a kill
    that folder stays. It is no longer than `path`'s own name. `first`: of processes that make the same folder the
    first one's stays, and is never away. Where `path` is a link, what it leads to is replaced, and the link stays.
    """
    path = real(path)
    with TemporaryDirectory(prefix=".", dir=within or path.parent) as scratch:
        part = Path(scratch) / path.name
        yield part
        if part.exists():
            put_in_place(part, path, first)


def put_in_place(part: Path, path: Path, first: bool = False) -> None:
    """Give what was written its name, so that it is whole or not there, even after a power cut.

    An old file is replaced in one step. An old folder cannot be: for a moment none is there. With `first` it stays.
    """
    for one in (part, *part.rglob("*")) if part.is_dir() else (part,):
        _sync(one)
    if first:
        _unless_there(part, path)
    elif part.is_dir() and path.is_dir():
        old = path.rename(part.with_name(f"{part.name}.old"))
        try:
            part.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(part, path)
    _sync(path.parent)


def _unless_there(part: Path, path: Path) -> None:
    try:
        part.rename(path)  # in one step, which a folder that is there and holds something refuses
    except OSError:
        if not path.is_dir():
            raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

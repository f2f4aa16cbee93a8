"""Files that a command is to write: what keeps them from being written is told in one line, before the work begins."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from data.errors import InputError
from data.files import real

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REMEDIES = {
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EISDIR: "give a file to write",
    **dict.fromkeys(FULL, "make room and repeat the command"),
}


@contextmanager
def writing(target: Path, remedies: Mapping[int, str] = REMEDIES) -> Iterator[None]:
    """InputError in the place of an OSError: what keeps `target` from being written, and what helps."""
    try:
        yield
    except OSError as error:
        remedy = remedies.get(error.errno or 0, "give a file in a folder that may be written")
        raise InputError(f"{target} cannot be written: {error.strerror or error}: {remedy}") from None


def private(path: str | Path, flags: int) -> int:
    """An opener for `open`: a new file is its owner's alone, whatever the umask."""
    return os.open(path, flags, 0o600)


def check_writable(target: Path) -> None:
    """InputError where `data.files.whole` could not make this file; nothing is left behind."""
    with writing(target):
        if target.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        TemporaryDirectory(prefix=".", dir=real(target).parent).cleanup()

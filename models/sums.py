"""Sums beside the files of the cache, so that one which the disk has cut or altered is found before it answers.

CRC-32 of every byte: it is to find accidents, not forgers, and takes 30 ms for the 66 MB of an int8 engine, where
SHA-256 takes 50, and several times as long on a CPU without instructions for it.
"""

from __future__ import annotations

import logging
import shutil
import zlib
from contextlib import suppress
from pathlib import Path

from data.files import whole

CHUNK = 1 << 20  # bytes that are read at once
logger = logging.getLogger("bentoml.yujing")


def sum_path(path: Path) -> Path:
    """Where the sum of a file lies."""
    return path.with_name(f"{path.name}.crc32")


def _sum(path: Path) -> str:
    found, size = 0, 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found, size = zlib.crc32(chunk, found), size + len(chunk)
    return f"{found:08x} {size}\n"


def write_sum(path: Path) -> None:
    """Keep the sum of a file that has just been written."""
    found = _sum(path)
    with whole(sum_path(path)) as part:
        part.write_text(found, encoding="ascii")


def is_whole(path: Path) -> bool:
    """Whether a file is there as it was written; one without a sum is not known to be, one that differs is told."""
    try:
        kept = sum_path(path).read_bytes()
        found = _sum(path).encode()
    except FileNotFoundError:
        return False
    if kept != found:
        told = (path, found.decode().strip(), kept.decode("ascii", "replace").strip())
        logger.warning("%s is damaged: its CRC-32 and size are %s, %s was written: it is built anew", *told)
    return kept == found


def remove(path: Path) -> None:
    """Take a file or a folder of the cache away, if it is there, and the sum of a file with it."""
    if path.is_dir():
        with suppress(FileNotFoundError):  # another process removes it, too
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
        sum_path(path).unlink(missing_ok=True)

"""Removes the engines that were not used for longest: each takes some 220 MB, and every new text model brings one.

Who removes holds the lock of the builders; who reads holds none. An engine goes in one step, so a reader has it whole
(POSIX keeps an open file) or finds that it is gone, and builds it.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from weakref import WeakKeyDictionary

from models.cache import engine_path
from models.engine import Engine

KEPT = 3  # engines, the one that is about to be built included
USED = "used"  # an empty file that is as old as the last use
OURS = re.compile(r"([0-9a-f]{16})-(?:(?:fp32|int8-rows)\.onnx(?:\.crc32)?|int8-weights|fp32-\d+|used)")
logger = logging.getLogger("bentoml.yujing")

_marking = Lock()
_loaded: WeakKeyDictionary[Engine, str] = WeakKeyDictionary()  # engines that this process has, and their keys


def mark_used(engine: Engine, key: str) -> None:
    """Keep in mind that this process uses an engine as long as it does, and in the cache, if it may, that it did."""
    with _marking:
        _loaded[engine] = key[:16]
    with suppress(OSError):
        engine_path(key, USED).touch()


def make_room(key: str) -> None:
    """Remove engines but for the one with this key, which is about to be built, the KEPT - 1 that were used last, and
    those that this process uses. A failure is none of the build's."""
    with suppress(OSError):
        found = _found(engine_path(key, "").parent)
        found.pop(key[:16], None)
        with _marking:
            in_use = {*_loaded.values()}
        by_use = sorted(found, key=lambda one: max(map(_changed, found[one])), reverse=True)
        for old in by_use[KEPT - 1 :]:
            if old not in in_use:
                _remove(old, found[old])


def _found(folder: Path) -> dict[str, list[Path]]:
    """What lies in the folder of each engine, by the first characters of its key."""
    found: dict[str, list[Path]] = {}
    for path in (*folder.glob("*"), *folder.glob("compiled/*")):
        if ours := OURS.fullmatch(path.name):
            found.setdefault(ours[1], []).append(path)
    return found


def _changed(path: Path) -> float:
    """When it was, in seconds since 1970; 0 of what is gone."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _remove(key: str, paths: list[Path]) -> None:
    """Away from its place in one step, then from the disk; after a kill `cache.clear_left` does the latter."""
    folder = engine_path(key, "").parent
    with TemporaryDirectory(prefix=".", dir=folder, ignore_cleanup_errors=True) as scratch:
        for path in paths:
            with suppress(OSError):
                path.rename(Path(scratch) / path.name)
    logger.info("engine %s is removed from %s: %d were used later", key, folder, KEPT - 1)

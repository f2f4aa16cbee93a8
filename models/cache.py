"""Where derived files are kept (the trimmed encoder, built engines): they can be deleted at any time."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from data.errors import ConfigError
from models.cpu import has_vnni
from models.sums import is_whole

CACHE = "YUJING_CACHE"
FP32, INT8, INT8_ROWS = "fp32.onnx", "int8-weights", "int8-rows.onnx"  # kinds of engines, the last without VNNI
ABANDONED = 3_600  # seconds; a file is made within some minutes, and 130 MB of each kill stay
SCRATCH = re.compile(r"\.[a-z0-9_]{8}")  # names of `tempfile`
REMEDY = f"set {CACHE} to a folder that can be written"


def cache_root() -> Path:
    """$YUJING_CACHE, else `yujing` in the user's cache folder; ConfigError for a user without a home."""
    if given := os.environ.get(CACHE):
        return Path(given)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yujing"
    except RuntimeError as error:  # as in a container
        raise ConfigError(f"nothing can be cached ({error}): {REMEDY}") from None


def engine_path(key: str, kind: str) -> Path:
    """Where an engine with this key (`models.engine_key`) lies, or will lie."""
    return cache_root() / "engines" / f"{key[:16]}-{kind}"


def clear_left(folder: Path) -> None:
    """Remove what was left in a folder of the cache when the making of a file (`data.files.whole`) was killed."""
    for left in folder.glob(".*"):
        with suppress(OSError):
            if SCRATCH.fullmatch(left.name) and time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left)


@contextmanager
def one_builder(folder: Path) -> Iterator[None]:
    """One process at a time: a file has its name before it has its sum, and would pass for a damaged one."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "building.lock", is_singleton=True):  # so that who has it may take it again
        yield


def engine_files(engine: str) -> tuple[str, ...]:
    """What an engine is read from on this CPU; () for torch, which is made anew each time."""
    int8 = tuple(f"{INT8}/{name}" for name in ("model.xml", "model.bin")) if has_vnni() else (INT8_ROWS,)
    return {"int8": int8, "bf16": (FP32,), "onnx": (FP32,)}.get(engine, ())


def is_built(key: str, engine: str) -> bool:
    """Whether this engine with this key is in the cache, whole."""
    needed = engine_files(engine)
    return bool(needed) and all(is_whole(engine_path(key, name)) for name in needed)


def check_cache(key: str, engine: str) -> None:
    """ConfigError where this engine with this key is not built, and could not be."""
    try:
        if is_built(key, engine):
            return
        folder = engine_path(key, "").parent
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryDirectory(prefix=".", dir=folder).cleanup()
    except OSError as error:
        raise ConfigError(f"no engine can be built ({error.strerror or error}): {REMEDY}") from None

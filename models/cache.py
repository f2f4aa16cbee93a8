"""Where derived files are kept (the trimmed encoder, built engines): they can be deleted at any time."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from data.errors import ConfigError

CACHE = "YUJING_CACHE"
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


def engine_path(digest: str, kind: str) -> Path:
    """Where an engine of the bundle with this digest lies, or will lie."""
    return cache_root() / "engines" / f"{digest[:16]}-{kind}"


def clear_left(folder: Path) -> None:
    """Remove what was left in a folder of the cache when the making of a file (`data.files.whole`) was killed."""
    for left in folder.glob(".*"):
        with suppress(OSError):
            if SCRATCH.fullmatch(left.name) and time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left)


def check_cache(digest: str) -> None:
    """ConfigError where no engine of the bundle with this digest is built, and none could be."""
    try:
        folder = engine_path(digest, "").parent
        if any(folder.glob(engine_path(digest, "*").name)):
            return
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryDirectory(prefix=".", dir=folder).cleanup()
    except OSError as error:
        raise ConfigError(f"no engine can be built ({error.strerror or error}): {REMEDY}") from None

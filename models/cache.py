"""Where derived files are kept (the trimmed encoder, built engines): they can be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """$YUJING_CACHE, else `yujing` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("YUJING_CACHE") or Path(base) / "yujing")

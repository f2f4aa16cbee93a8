"""Files as somebody else would alter them: a packaged table, a bundle's manifest, an artefact with its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.manifest import NAME

Change = Callable[[dict[str, Any]], object]


def edited(table: Path, folder: Path, old: str, new: str) -> Path:
    """A copy of a table in `folder` whose first `old` reads `new`."""
    text = table.read_text(encoding="utf-8")
    assert old in text
    path = folder / table.name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def edit(folder: Path, change: Change) -> None:
    """Change the manifest of the bundle at `folder`."""
    raw = json.loads((folder / NAME).read_text(encoding="utf-8"))
    change(raw)
    (folder / NAME).write_text(json.dumps(raw), encoding="utf-8")


def put(folder: Path, name: str, blob: bytes) -> Path:
    """Replace an artefact of a bundle and its hash, as somebody would who knows the format."""
    (folder / name).write_bytes(blob)
    edit(folder, lambda raw: raw["files"].update({name: hashlib.sha256(blob).hexdigest()}))
    return folder

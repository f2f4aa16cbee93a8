"""What a manifest tells of the files that taught a model, by their hashes: which posts are unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import CorpusError

LABELLED = ("posts", "extra", "annotated")  # settings that name files of labels
KEPT = "taught the bundle with other rows than now: what they have kept is not unseen"


def file_sha256(path: str) -> str:
    """Hash of a data file, for the manifest; CorpusError when it is not there."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}: name a file that can be read") from None


def hashes(paths: Sequence[str], data: Mapping[str, Any]) -> list[str | None]:
    """Hashes that a manifest's data hold of the files of its config; None for a file that they do not have."""
    files = data.get("files", {})
    return [files.get(path) or files.get(Path(path).name) for path in paths]


def taught(data: Mapping[str, Any]) -> set[str]:
    """Hashes of all files that taught a model, and of those that taught the bundles it began with or learnt from."""
    return {*data.get("files", {}).values(), *data.get("ancestors", ())}


def changed_since(
    paths: Sequence[str], config: Mapping[str, Any], data: Mapping[str, Any], names: Sequence[str] = LABELLED
) -> list[str]:
    """Files that stand where a file stood that taught a part of a bundle (its `config` and `data`), with other bytes.

    `names`: the settings that name such files.
    """
    named = (config.get(name) or () for name in names)
    places = {Path(path).resolve() for value in named for path in ((value,) if isinstance(value, str) else value)}
    there = [path for path in paths if Path(path).resolve() in places and Path(path).is_file()]
    return [path for path in there if file_sha256(path) not in taught(data)]


def refuse_taught(paths: Sequence[str], data: Mapping[str, Any]) -> None:
    """CorpusError for files that taught a bundle otherwise than by a split that can be rebuilt."""
    known = taught(data)
    seen = [path for path in paths if Path(path).is_file() and file_sha256(path) in known]
    if seen:
        raise CorpusError(
            f"{', '.join(seen)} taught the bundle as rows that only teach, or a bundle that it began with or learnt "
            "from: no row of it is unseen: give posts that taught neither"
        )

"""Which files taught a model, by the hashes that its manifest keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from data.errors import CorpusError
from models.taught import KEPT, LABELLED, changed_since, file_sha256
from training.text_config import TextConfig
from training.told import warn


def dealt_files(config: TextConfig) -> tuple[str, ...]:
    """Files that decide what a run holds out: its posts and, with `before`, the record that dates them."""
    return (*config.posts, config.record) if config.before is not None else config.posts


def known_files(paths: Sequence[str], wanted: Sequence[str | None]) -> tuple[str, ...] | None:
    """The files in the order of the training when they are just those that taught (by hash); None when none did.

    CorpusError when they are only part of those, or others are among them: neither can the split of the training be
    rebuilt then, nor are all rows unseen.
    """
    found = {path: file_sha256(path) if Path(path).is_file() else None for path in paths}
    known = {sha: path for path, sha in found.items() if sha is not None and sha in wanted}
    if not known:
        return None
    if other := [path for path, sha in found.items() if sha not in known]:
        for path in other:
            file_sha256(path)  # of an absent one that is told
        raise CorpusError(
            f"{', '.join(known.values())} taught the model, {', '.join(other)} did not: measure them one by one"
        )
    if len(known) < len({*wanted}):
        raise CorpusError(
            f"{', '.join(known.values())} taught the model with {len({*wanted}) - len(known)} other files: which of "
            "its rows were held out depends on all of them: give all, or files that did not teach it"
        )
    return tuple(known[sha] for sha in dict.fromkeys(wanted) if sha is not None)


def tell_changed(
    paths: Sequence[str],
    config: Mapping[str, Any],
    data: Mapping[str, Any],
    console: Console,
    names: Sequence[str] = LABELLED,
) -> None:
    """Warn of files that have `changed_since`: by their hashes they are others, and all that they hold unseen."""
    if changed := changed_since(paths, config, data, names):
        warn(console, "not all unseen", f"{', '.join(changed)} {KEPT}")

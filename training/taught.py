"""Which files taught a model, by the hashes that its manifest keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from data.errors import CorpusError
from training.corpus import file_sha256
from training.text_config import TextConfig
from training.told import warn

LABELLED = ("posts", "extra", "annotated")  # settings that name files of labels


def dealt_files(config: TextConfig) -> tuple[str, ...]:
    """Files that decide what a run holds out: its posts and, with `before`, the record that dates them."""
    return (*config.posts, config.record) if config.before is not None else config.posts


def hashes(paths: Sequence[str], data: Mapping[str, Any]) -> list[str | None]:
    """Hashes that a manifest's data hold of the files of its config; None for a file that they do not have."""
    files = data.get("files", {})
    return [files.get(path) or files.get(Path(path).name) for path in paths]


def taught(data: Mapping[str, Any]) -> set[str]:
    """Hashes of all files that taught a model, and of those that taught the bundles it began with or learnt from."""
    return {*data.get("files", {}).values(), *data.get("ancestors", ())}


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


def tell_changed(
    paths: Sequence[str],
    config: Mapping[str, Any],
    data: Mapping[str, Any],
    console: Console,
    names: Sequence[str] = LABELLED,
) -> None:
    """Warn of files that have `changed_since`: by their hashes they are others, and all that they hold unseen."""
    if changed := changed_since(paths, config, data, names):
        why = "taught the bundle with other rows than now: what they have kept is not unseen"
        warn(console, "not all unseen", f"{', '.join(changed)} {why}")


def refuse_taught(paths: Sequence[str], data: Mapping[str, Any]) -> None:
    """CorpusError for files that taught a bundle otherwise than by a split that can be rebuilt."""
    known = taught(data)
    seen = [path for path in paths if Path(path).is_file() and file_sha256(path) in known]
    if seen:
        raise CorpusError(
            f"{', '.join(seen)} taught the bundle as rows that only teach, or a bundle that it began with or learnt "
            "from: no row of it is unseen: give posts that taught neither"
        )

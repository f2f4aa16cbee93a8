"""Which posts may measure a bundle: the test part of its own training, or all of them when they taught it nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from data.errors import CorpusError
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from models.manifest import TextPart
from training.config import load_config
from training.corpus import Corpus, file_sha256
from training.corpus_time import corpus_for
from training.text_config import TextConfig


def hashes(paths: Sequence[str], trained_on: Mapping[str, Any]) -> list[str | None]:
    """Hashes that a manifest's data hold of the files of its config; None for a file that it does not know."""
    files = trained_on.get("files", {})
    return [files.get(path) or files.get(Path(path).name) for path in paths]


def known_files(paths: Sequence[str], taught: Sequence[str | None]) -> tuple[str, ...] | None:
    """The files in the order of the training when they are just those that taught (by hash); None when none did.

    CorpusError when they are only part of those, or others are among them: neither can the split of the training be
    rebuilt then, nor are all rows unseen.
    """
    found = {path: file_sha256(path) if Path(path).is_file() else None for path in paths}
    known = {sha: path for path, sha in found.items() if sha is not None and sha in taught}
    if not known:
        return None
    if other := [path for path, sha in found.items() if sha not in known]:
        raise CorpusError(
            f"{', '.join(known.values())} taught the model, {', '.join(other)} did not: measure them one by one"
        )
    if len(known) < len({*taught}):
        raise CorpusError(
            f"{', '.join(known.values())} taught the model with {len({*taught}) - len(known)} other files: which of "
            "its rows were held out depends on all of them: give all, or files that did not teach it"
        )
    return tuple(known[sha] for sha in dict.fromkeys(taught) if sha is not None)


def _refuse_taught(paths: Sequence[str], part: TextPart) -> None:
    """CorpusError for files that taught the bundle otherwise than by a split that can be rebuilt."""
    taught = {*part.data.get("files", {}).values(), *part.data.get("ancestors", ())}
    seen = [path for path in paths if Path(path).is_file() and file_sha256(path) in taught]
    if seen:
        raise CorpusError(
            f"{', '.join(seen)} taught the bundle as rows that only teach, or a bundle that it began with or learnt "
            "from: no row of it is unseen: give posts that taught neither"
        )


def _unchanged(paths: tuple[str, ...], trained_on: Mapping[str, Any], console: Console) -> tuple[str, ...]:
    """Those of the files that are still what taught the model; the others are told."""
    known = {*trained_on.get("files", {}).values()}
    kept = tuple(path for path in paths if Path(path).is_file() and file_sha256(path) in known)
    if other := [path for path in paths if path not in kept]:
        console.print(f"[yellow]left out[/] {', '.join(other)}: not the files that taught the model")
    return kept


def trained_corpus(bundle: Bundle, posts: tuple[str, ...], taxonomy: Taxonomy, console: Console) -> Corpus | None:
    """The corpus of the training, split as it was; None when the posts are others.

    Rows that only taught come from files that have not changed since; without them baselines learn from less.
    CorpusError when the split cannot be rebuilt, or posts taught the bundle beside it: they would measure what they
    have taught.
    """
    part = bundle.manifest.text
    if part is None:
        return None
    known = known_files(posts, hashes(part.config.get("posts", ()), part.data))
    if known is None:
        _refuse_taught(posts, part)
        return None
    settings = load_config(TextConfig, flags={"annotated": (), **part.config, "posts": known, "teacher": None})
    extra, annotated = (_unchanged(paths, part.data, console) for paths in (settings.extra, settings.annotated))
    corpus = corpus_for(replace(settings, extra=extra, annotated=annotated), taxonomy, console)
    if any(corpus.about["rows"][name] != part.data["rows"][name] for name in ("train", "validation", "test")):
        raise CorpusError("the split of the training could not be rebuilt: evaluate with the version that trained it")
    return corpus

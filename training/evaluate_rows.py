"""Which posts may measure a bundle: the test part of its own training, or all of them when they taught it nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from data.errors import CorpusError
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from models.taught import file_sha256, hashes, refuse_taught
from training.config import settings_of
from training.corpus import Corpus, pooled
from training.corpus_time import corpus_for
from training.taught import known_files, tell_changed
from training.text_config import TextConfig
from training.told import left_out


def _unchanged(paths: tuple[str, ...], trained_on: Mapping[str, Any], console: Console) -> tuple[str, ...]:
    """Those of the files that are still what taught the model; the others are told."""
    known = {*trained_on.get("files", {}).values()}
    kept = tuple(path for path in paths if Path(path).is_file() and file_sha256(path) in known)
    if other := [path for path in paths if path not in kept]:
        left_out(console, f"{', '.join(other)}: not the files that taught the model")
    return kept


def trained_corpus(
    bundle: Bundle, posts: tuple[str, ...], taxonomy: Taxonomy, console: Console, teaching: bool = True
) -> Corpus | None:
    """The corpus of the training, split as it was; None when the posts are others.

    Rows that only taught come from files that have not changed since; without them baselines learn from less. With
    `teaching` False they are not read. What calibrated a recalibrated bundle is its validation part.
    CorpusError when the split cannot be rebuilt, or posts taught the bundle beside it: they would measure what they
    have taught.
    """
    part = bundle.manifest.text
    if part is None:
        return None
    known = known_files(posts, hashes(part.config.get("posts", ()), part.data))
    if known is None:
        refuse_taught(posts, part.data)
        tell_changed(posts, part.config, part.data, console)
        return None
    settings = settings_of(TextConfig, {"annotated": (), **part.config}, posts=known, teacher=None)
    only_taught = (settings.extra, settings.annotated) if teaching else ((), ())
    extra, annotated = (_unchanged(paths, part.data, console) for paths in only_taught)
    settings = replace(settings, extra=extra, annotated=annotated)
    corpus = corpus_for(settings, taxonomy, console, part.data.get("held_out"))
    if "calibration" in part.data["rows"]:
        corpus = pooled(corpus)
    if corpus.about["held_out_ids"] != part.data.get("held_out_ids"):
        raise CorpusError(
            "the split of the training could not be rebuilt: evaluate with the version that trained it, and the very "
            "hot-search record where that dated the posts"
        )
    return corpus

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
from training.config import load_config
from training.corpus import Corpus, file_sha256
from training.corpus_time import corpus_for
from training.text_config import TextConfig


def same_files(paths: tuple[str, ...], trained_on: Mapping[str, Any]) -> bool:
    """Whether all of these files taught the model (by hash)."""
    known = set(trained_on.get("files", {}).values())
    return all(Path(path).is_file() and file_sha256(path) in known for path in paths)


def _unchanged(paths: tuple[str, ...], trained_on: Mapping[str, Any], console: Console) -> tuple[str, ...]:
    """Those of the files that are still what taught the model; the others are told."""
    kept = tuple(path for path in paths if same_files((path,), trained_on))
    if other := [path for path in paths if path not in kept]:
        console.print(f"[yellow]left out[/] {', '.join(other)}: not the files that taught the model")
    return kept


def trained_corpus(bundle: Bundle, posts: tuple[str, ...], taxonomy: Taxonomy, console: Console) -> Corpus | None:
    """The corpus of the training, split as it was; None when the posts are others.

    Rows that only taught come from files that have not changed since; without them baselines learn from less.
    CorpusError when the split cannot be rebuilt: by another one, rows that taught would measure.
    """
    part = bundle.manifest.text
    if part is None or not same_files(posts, part.data):
        return None
    settings = load_config(TextConfig, flags={"annotated": (), **part.config, "posts": posts})
    extra, annotated = (_unchanged(paths, part.data, console) for paths in (settings.extra, settings.annotated))
    settings = replace(settings, extra=extra, annotated=annotated)
    corpus = corpus_for(settings, taxonomy, console)
    if any(corpus.about["rows"][name] != part.data["rows"][name] for name in ("train", "validation", "test")):
        raise CorpusError("the split of the training could not be rebuilt: evaluate with the version that trained it")
    return corpus

"""Labelled and unlabelled posts of a run's files; bad rows are told, never fatal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from data.loaders import load_examples
from data.records import Example
from data.taxonomy import Taxonomy
from training.told import tell_bad_rows


def load_posts(
    paths: Sequence[str], taxonomy: Taxonomy, console: Console, posts: Mapping[str, Example] | None = None
) -> tuple[Example, ...]:
    """Posts of all files; bad rows are told and left out. Rows without a text get that of `posts`, by id."""
    if not paths:
        return ()
    loaded = load_examples([Path(path) for path in paths], taxonomy, posts)
    tell_bad_rows(console, loaded.bad)
    return tuple(loaded.rows)

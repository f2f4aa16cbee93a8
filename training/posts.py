"""Labelled and unlabelled posts of a run's files; bad rows are told, never fatal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from data.columns import column_names
from data.listed import listed
from data.loaders import load_examples
from data.records import Example
from data.taxonomy import Taxonomy
from training.told import tell_bad_rows, tell_contradictions, tell_unread

LABELLED = ("id", "text", "category", "severity")  # columns of a file of labelled posts


def load_posts(
    paths: Sequence[str], taxonomy: Taxonomy, console: Console, posts: Mapping[str, Example] | None = None
) -> tuple[Example, ...]:
    """Posts of all files; bad rows are told and left out. Rows without a text get that of `posts`, by id."""
    if not paths:
        return ()
    loaded = load_examples([Path(path) for path in paths], taxonomy, posts)
    tell_bad_rows(console, loaded.bad)
    tell_unread(console, loaded.unread)
    tell_contradictions(console, loaded.rows)
    return tuple(loaded.rows)


def labels_lacking(paths: Sequence[str], posts: Sequence[Example]) -> str:
    """Why posts are not labelled: how many lack which label, and which columns their files have; "" where none lack."""
    lacking = {name: sum(getattr(post, name) is None for post in posts) for name in ("category", "severity")}
    if not any(lacking.values()):
        return ""
    told = ", ".join(f"{count} without {name}" for name, count in lacking.items() if count)
    found = dict.fromkeys(name for path in paths for name in column_names(Path(path), LABELLED))
    return f": {len(posts)} rows read, {told}; columns found: {listed([*found])}; wanted: {', '.join(LABELLED)}"

"""Labels of posts that lie elsewhere: the ids are in the repository, the texts in the corpora that hold them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from data.hot_titles import title_posts
from data.loaders import load_examples
from data.records import Example
from data.taxonomy import Taxonomy
from training.posts import load_posts
from training.text_config import TextConfig
from training.told import left_out, tell_bad_rows


def annotated_texts(config: TextConfig) -> tuple[str, ...]:
    """The files at hand that hold texts of annotated posts."""
    return tuple(path for path in _sources(config) if Path(path).is_file())


def annotated_rows(config: TextConfig, taxonomy: Taxonomy, console: Console) -> tuple[Example, ...]:
    """Annotated posts; their texts are in the files of `unlabelled` and titles of `record`. An absent file is told."""
    there = annotated_texts(config)
    for path in _sources(config):
        if path not in there:
            left_out(console, f"what {', '.join(config.annotated)} say of {path}: no such file")
    titles = title_posts(Path(config.record)) if config.record in there else []
    posts = load_posts([path for path in there if path != config.record], taxonomy, console)
    if not posts and not titles:
        return ()
    known = {row.id: row for row in (*posts, *titles)}
    loaded = load_examples([Path(path) for path in config.annotated], taxonomy, known)
    whole = len(there) == len(_sources(config))
    tell_bad_rows(console, [bad for bad in loaded.bad if whole or bad.field != "text"])  # absent posts are no news
    return tuple(loaded.rows)


def _sources(config: TextConfig) -> tuple[str, ...]:
    return (*config.unlabelled, config.record) if config.annotated else ()

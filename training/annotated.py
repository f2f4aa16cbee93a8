"""Labels of posts that lie elsewhere: the ids are in the repository, the texts in the corpora that hold them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from data.hot_titles import title_posts
from data.records import Example
from data.taxonomy import Taxonomy
from training.posts import load_posts
from training.text_config import TextConfig
from training.told import left_out


def annotated_texts(config: TextConfig) -> tuple[str, ...]:
    """The files at hand that hold texts of annotated posts."""
    return tuple(path for path in _sources(config) if Path(path).is_file())


def annotated_rows(config: TextConfig, taxonomy: Taxonomy, console: Console) -> tuple[Example, ...]:
    """Annotated posts; their texts are in the files of `unlabelled` and titles of `record`. An absent file is told."""
    there = annotated_texts(config)
    for path in _sources(config):
        if path not in there:
            left_out(console, f"what {', '.join(config.annotated)} say of {path}: no such file")
    posts: dict[str, Example] = {}
    for path in there:
        rows = title_posts(Path(path)) if path == config.record else load_posts((path,), taxonomy, console)
        posts |= {row.id: row for row in rows}
    if not posts:
        return ()
    told = console if len(there) == len(_sources(config)) else Console(quiet=True)  # labels of absent posts are no news
    return load_posts(config.annotated, taxonomy, told, posts)


def _sources(config: TextConfig) -> tuple[str, ...]:
    return (*config.unlabelled, config.record) if config.annotated else ()

"""Labels of posts that lie elsewhere: the ids are in the repository, the texts in the corpora that hold them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rich.console import Console

from data.hot_titles import title_posts
from data.loaders import load_examples
from data.records import Example
from data.taxonomy import Taxonomy
from training.posts import load_posts
from training.text_config import ANNOTATED, TextConfig
from training.told import left_out, tell_bad_rows, tell_unread

# The unlabelled posts that ANNOTATED names by number (u000002): in another file these are other posts. A title's id is
# its hash.
CORPUS = "7216a32a38db0f878e7f2c9b8e0efe6477f1b45c5d842c65cf58fa676995ca20"


def annotated_texts(config: TextConfig) -> tuple[str, ...]:
    """The files at hand that hold texts of annotated posts."""
    there = (path for path in _sources(config) if Path(path).is_file())
    return tuple(path for path in there if _own(config) or path == config.record or _is_corpus(path))


def annotated_rows(config: TextConfig, taxonomy: Taxonomy, console: Console) -> tuple[Example, ...]:
    """Annotated posts; their texts are in the files of `unlabelled` and titles of `record`. An absent file is told."""
    there = annotated_texts(config)
    for path in _sources(config):
        if path not in there:
            why = "it is not the corpus whose posts they label" if Path(path).is_file() else "no such file"
            left_out(console, f"what {', '.join(config.annotated)} say of {path}: {why}")
    titles = title_posts(Path(config.record)) if config.record in there else []
    corpora = [path for path in there if path != config.record]
    posts = load_posts(corpora, taxonomy, console)
    if not posts and not titles:
        return ()
    named = load_posts([path for path in corpora if _is_corpus(path)], taxonomy, console) if _own(config) else posts
    whole = len(there) == len(_sources(config))
    rows: dict[str, Example] = {}  # of a post with two labels the user's teaches
    for paths, texts in ((_project(config), named), (_own(config), posts)):
        known = {row.id: row for row in (*texts, *titles)}
        loaded = load_examples([Path(path) for path in paths], taxonomy, known)
        tell_bad_rows(console, [bad for bad in loaded.bad if whole or bad.field != "text"])  # absent posts are no news
        tell_unread(console, loaded.unread)
        rows |= {row.id: row for row in loaded.rows}
    return tuple(rows.values())


def _project(config: TextConfig) -> tuple[str, ...]:
    """Files of the project's own annotations."""
    ours = {Path(path).resolve() for path in ANNOTATED}
    return tuple(path for path in config.annotated if Path(path).resolve() in ours)


def _own(config: TextConfig) -> tuple[str, ...]:
    """Files of a user's annotations."""
    ours = {*_project(config)}
    return tuple(path for path in config.annotated if path not in ours)


def _is_corpus(path: str) -> bool:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == CORPUS


def _sources(config: TextConfig) -> tuple[str, ...]:
    return (*config.unlabelled, config.record) if config.annotated else ()

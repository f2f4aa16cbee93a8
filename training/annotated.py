"""Labels of posts that lie elsewhere: the ids are in the repository, the texts in the corpora that hold them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from data.hot_titles import title_posts
from data.records import Example
from data.taxonomy import Taxonomy
from training.posts import load_posts
from training.text_config import TextConfig


def annotated_rows(config: TextConfig, taxonomy: Taxonomy, console: Console) -> tuple[Example, ...]:
    """Annotated posts; their texts are in the files of `unlabelled` and titles of `record`. An absent file is told."""
    if not config.annotated:
        return ()
    posts: dict[str, Example] = {}
    for path in (*config.unlabelled, config.record):
        if not Path(path).is_file():
            console.print(f"[yellow]left out[/] what {', '.join(config.annotated)} say of {path}: no such file")
        elif path == config.record:
            posts |= {row.id: row for row in title_posts(Path(path))}
        else:
            posts |= {row.id: row for row in load_posts((path,), taxonomy, console)}
    return load_posts(config.annotated, taxonomy, console, posts) if posts else ()

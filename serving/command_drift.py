"""`yujing drift reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

drift = typer.Typer(help="Are posts and answers still what they were?", no_args_is_help=True)


@drift.callback()
def group() -> None:
    """Keep `reference` a command of its own, though it is the only one."""


@drift.command()
def reference(
    corpus: Annotated[Path, typer.Argument(metavar="POSTS", help="Usual posts: .jsonl, .csv or .parquet with text.")],
    bundle: Annotated[Path | None, typer.Option(help="Folder of another bundle than the shipped one.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file.", show_default="the bundle's manifest")] = None,
) -> None:
    """Score usual posts and keep their statistics, which the service compares its own posts with.

    Of the posts that taught the bundle only those that were held out count.
    """
    from data.taxonomy import load_taxonomy
    from models.bundle import open_bundle
    from serving.drift.make import score_reference, store_reference

    opened = open_bundle(bundle, load_taxonomy())
    made = score_reference(opened, held_out_texts(opened, corpus))
    where = store_reference(made, opened, out)
    typer.echo(f"statistics of {made.posts} posts as {made.model} answered them -> {where}")


def held_out_texts(bundle: object, corpus: Path) -> list[str]:
    """Texts of a corpus without those that taught the bundle."""
    from rich.console import Console

    from data.taxonomy import load_taxonomy
    from models.bundle import Bundle
    from serving.drift.make import read_texts
    from training.evaluate import trained_corpus
    from training.evaluate_config import EvaluateConfig

    assert isinstance(bundle, Bundle)
    config = EvaluateConfig(posts=(str(corpus),), extra=())
    known = trained_corpus(config, bundle, load_taxonomy(), Console(stderr=True))
    if known is None:
        return read_texts(corpus)
    return [row.text for part in ("validation", "test") for row in known.part(part)]

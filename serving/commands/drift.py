"""`yujing drift reference` and `yujing drift replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import BundleFolder

if TYPE_CHECKING:
    from models.bundle import Bundle
    from serving.settings import Settings

USE = "the service uses this file when it is started with YUJING_DRIFT_REFERENCE=<its path>"
KEEP_APART = "this changed the bundle itself; to leave it alone, give --out FILE and set YUJING_DRIFT_REFERENCE to it"

drift = typer.Typer(help="Are posts and answers still what they were?", no_args_is_help=True)


Posts = Annotated[Path, typer.Argument(metavar="POSTS", help="Usual posts: .jsonl, .csv or .parquet with id and text.")]


@drift.command()
def reference(
    corpus: Posts,
    bundle: BundleFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="JSON file, for YUJING_DRIFT_REFERENCE.", show_default="the bundle's manifest")
    ] = None,
) -> None:
    """Score usual posts and keep their statistics, which the service compares its own posts with.

    Of the posts that taught the bundle only those that were held out count. Without --out the manifest of the bundle
    is changed (the shipped one's, unless --bundle or YUJING_BUNDLE names another); a file of --out is used where the
    service is started with YUJING_DRIFT_REFERENCE=FILE.
    """
    from serving.drift.make import reference_path, score_reference, store_reference
    from serving.drift.unseen import unseen_texts
    from serving.writable import check_writable

    settings, opened = _opened(bundle)
    check_writable(reference_path(opened, out))  # scoring takes minutes
    made = score_reference(opened, unseen_texts(opened, corpus, _tell), settings)
    where = store_reference(made, opened, out)
    typer.echo(f"statistics of {made.posts} posts as {made.model} answered them -> {where.absolute()}")
    typer.echo(USE if out else KEEP_APART)


@drift.command()
def replay(
    corpus: Posts,
    bundle: BundleFolder = None,
    window: Annotated[int, typer.Option(min=300, help="Posts of one window.")] = 1_000,
    draws: Annotated[int, typer.Option(min=1, help="Windows to draw.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the halves and the windows.")] = 7,
) -> None:
    """Count false alarms: one half of the posts is the reference, windows of the other half are compared with it."""
    from rich.console import Console

    from serving.drift.make import observe_texts
    from serving.drift.replay import replay as run
    from serving.drift.replay import replay_table
    from serving.drift.unseen import unseen_texts

    settings, opened = _opened(bundle)
    observations = observe_texts(opened, unseen_texts(opened, corpus, _tell), settings)
    Console().print(replay_table(run(observations, window, draws, seed)))


def _opened(folder: Path | None) -> tuple[Settings, Bundle]:
    """The service's settings, and the bundle of the flag, else the one that the service would take."""
    from serving.scoring import open_served
    from serving.settings import Settings

    settings = Settings.from_env(bundle=folder)
    return settings, open_served(settings)


def _tell(what: str) -> None:
    typer.echo(f"yujing: {what}", err=True)

"""`yujing feedback export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

feedback = typer.Typer(help="What people said was right.", no_args_is_help=True)


@feedback.callback()
def group() -> None:
    """Keep `export` a command of its own, though it is the only one."""


@feedback.command()
def export(
    target: Annotated[Path, typer.Argument(metavar="OUT", help=".jsonl, for `yujing train text`")],
    store: Annotated[Path | None, typer.Option(help="Folder of the store.", show_default="$YUJING_STORE")] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Folder of the bundle that answered.", show_default="$YUJING_BUNDLE, else shipped"),
    ] = None,
) -> None:
    """Write the corrections as labelled posts: the last one of each prediction, with the masked text."""
    from serving.scoring import open_served
    from serving.settings import Settings
    from serving.store.export import export_corrections
    from serving.store.settings import require

    answered = open_served(Settings.from_env(bundle=bundle))
    summary = export_corrections(require(store), target, answered.taxonomy.none_id)
    typer.echo(f"{summary.written} corrections -> {target}; {summary.textless} left out, as their text was not kept")

"""`yujing keys`."""

from __future__ import annotations

from typing import Annotated

import typer

keys = typer.Typer(help="API keys of the service.", no_args_is_help=True)


@keys.callback()
def _group() -> None:
    """Without this, typer would make the single command below the group itself."""


@keys.command()
def new(
    name: Annotated[str, typer.Argument(help="Who will use it; stands in the logs.")],
    scope: Annotated[list[str], typer.Option(help="What it may do: score, feedback, admin. May be repeated.")],
) -> None:
    """Make a key: it is shown once, on stderr; the line with its hash, for YUJING_KEYS_FILE, goes to stdout."""
    from serving.gate.keys import new_key

    secret, key = new_key(name, scope)
    typer.echo(f"The key of {name}, shown only now (send it as Authorization: Bearer …):\n{secret}", err=True)
    typer.echo(key.line)

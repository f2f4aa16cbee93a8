"""`yujing demo`."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from typing import Annotated

import typer


def demo(
    rows: Annotated[int, typer.Option(min=1, help="Alerts to show at most.")] = 30,
) -> None:
    """Start the real service, send it the sample posts over HTTP, show the alerts, stop the service."""
    from serving.demo import run
    from serving.process import ServiceError
    from serving.scoring import check_bundle
    from serving.settings import Settings

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the service is stopped on the way out
    settings = replace(Settings.from_env(), keys=None, keys_file=None, rate=0)  # a service of its own, for itself
    check_bundle(settings)
    try:
        run(rows, {**settings.to_env(), "YUJING_STORE": ""})  # a demo leaves nothing behind
    except ServiceError as error:
        typer.echo(f"yujing: {error}", err=True)
        raise typer.Exit(1) from None

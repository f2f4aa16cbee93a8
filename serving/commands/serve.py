"""`yujing serve`."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import ConfigError
from serving.commands.options import BundleFolder, WatchWords

if TYPE_CHECKING:
    from serving.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    bundle: BundleFolder = None,
    watch_words: WatchWords = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="File with a line of `yujing keys new` per caller.", show_default="$YUJING_KEYS_FILE"),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Folder to keep answers and corrections in.", show_default="$YUJING_STORE, else none"),
    ] = None,
) -> None:
    """Serve POST /score until Ctrl-C or SIGTERM; requests under way are answered first."""
    from serving.process import environment, serve_here
    from serving.recorder_env import recorder_env
    from serving.scoring import check_bundle
    from serving.settings import Settings

    if store == "":  # as a Path it would be the current folder
        raise ConfigError("--store is empty: give a folder, or leave it out to keep nothing")
    settings = Settings.from_env(bundle=bundle, watch_words=watch_words, keys_file=keys)
    address = _address(host, port)
    _check_open(host, address, settings)
    check_bundle(settings)
    recorder = recorder_env(settings.bundle, None if store is None else Path(store))
    serve_here(address, port, environment({**settings.to_env(), **recorder}))


def _check_open(host: str, address: str, settings: Settings) -> None:
    """ConfigError when others than this machine could call and nobody needs a key."""
    from serving.gate.access import is_local
    from serving.gate.key_ring import KeyRing

    if KeyRing.of(settings).configured or settings.anonymous or is_local(address):
        return
    raise ConfigError(
        f"--host {host} without an API key: make one with `yujing keys new NAME --scope score >> keys.txt` and give "
        "--keys keys.txt, or stay on 127.0.0.1, or let anybody in with YUJING_ANONYMOUS=true"
    )


def _address(host: str, port: int) -> str:
    """The IP address of `host`; ConfigError when it cannot be listened on."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, UnicodeError) as error:  # the latter: a part of the name is empty, or of more than 63 characters
        reason = error.strerror if isinstance(error, OSError) else "no name of a host"
        raise ConfigError(f"cannot listen on {host}:{port} ({reason}): give --host or --port") from None
    return str(place[0])

"""What several commands share: options, and what an installation must have."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from data.errors import ConfigError

BundleFolder = Annotated[
    Path | None, typer.Option("--bundle", help="Folder of the bundle.", show_default="$YUJING_BUNDLE, else shipped")
]
WatchWords = Annotated[
    Path | None,
    typer.Option(
        "--watch-words",
        help="File with a word to watch for on each line; # begins a comment.",
        show_default="$YUJING_WATCH_WORDS",
    ),
]


def require_training() -> None:
    """ConfigError where the room `training` is not part of this installation, as of a Bento and its container."""
    if find_spec("training") is None:
        raise ConfigError("training is not part of this installation (a Bento has none): run this in a checkout")

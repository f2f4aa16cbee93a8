"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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

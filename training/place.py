"""Where a run writes: asked before it begins, so that no result of hours is lost to its place."""

from __future__ import annotations

import os
from pathlib import Path

from data.errors import BundleError, ConfigError
from data.taxonomy import Taxonomy
from models.bundle import open_bundle
from models.manifest import NAME


def require_folder(folder: Path) -> None:
    """ConfigError for a place that is no folder and cannot become one, or where nothing may be written."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"out: {there} is a file: give a folder, or a place in one")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"out: nothing may be written in {there}: give another place")


def bundle_place(out: str, taxonomy: Taxonomy | None = None) -> Path:
    """The folder of the bundle in `out`; BundleError when one lies there whose other parts could not be kept.

    ConfigError as `require_folder`.
    """
    folder = Path(out) / "bundle"
    require_folder(folder)
    if (folder / NAME).exists():
        try:
            open_bundle(folder, taxonomy)
        except BundleError as error:
            raise BundleError(
                f"{error}; the new part would be written into it: delete it, or give another out"
            ) from None
    return folder


def report_place(out: str) -> Path:
    """The file of a report; ConfigError for a folder, for a name that the page beside it would take, and for a place
    as `require_folder` refuses."""
    path = Path(out)
    if path.is_dir():
        raise ConfigError(f"out={out} is a folder: name a file in it, such as {path / 'evaluate.json'}")
    if path.suffix == ".html":
        raise ConfigError(f"out={out}: this is the file of the figures, the page lies beside it: give a name in .json")
    require_folder(path.parent)
    return path

"""Where a run writes: asked before it begins, so that no result of hours is lost to its place."""

from __future__ import annotations

from pathlib import Path

from data.errors import BundleError, ConfigError
from data.taxonomy import Taxonomy
from models.bundle import open_bundle
from models.manifest import NAME


def bundle_place(out: str, taxonomy: Taxonomy | None = None) -> Path:
    """The folder of the bundle in `out`; BundleError when one lies there whose other parts could not be kept."""
    folder = Path(out) / "bundle"
    if (folder / NAME).exists():
        try:
            open_bundle(folder, taxonomy)
        except BundleError as error:
            raise BundleError(
                f"{error}; the new part would be written into it: delete it, or give another out"
            ) from None
    return folder


def report_place(out: str) -> Path:
    """The file of a report; ConfigError for a folder, and for a name that the page beside it would take."""
    path = Path(out)
    if path.is_dir():
        raise ConfigError(f"out={out} is a folder: name a file in it, such as {path / 'evaluate.json'}")
    if path.suffix == ".html":
        raise ConfigError(f"out={out}: this is the file of the figures, the page lies beside it: give a name in .json")
    return path

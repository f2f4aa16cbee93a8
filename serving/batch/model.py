"""The scorer of a batch run: how its workers load it, and what its answers depend on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import data
import models
from serving.scoring import SupportsScore, load_scorer
from serving.settings import Settings


@dataclass(frozen=True)
class LoadScorer:
    """Loads the scorer in a worker; equal settings make equal loaders, also after they were sent to another process."""

    settings: Settings

    def __call__(self) -> SupportsScore:
        return load_scorer(self.settings)


def model_identity(settings: Settings) -> dict[str, str]:
    """Bundle, engine, watch words, tables and version; BundleError or ConfigError when they cannot be loaded."""
    from data.taxonomy import load_taxonomy
    from models.bundle import open_bundle

    words = "\n".join(settings.read_watch_words())
    return {
        "bundle": open_bundle(settings.bundle, load_taxonomy()).manifest.digest,
        "engine": settings.engine,
        "watch_words": hashlib.sha256(words.encode()).hexdigest(),
        "tables": _tables(),
        "version": _version(),
    }


def _tables() -> str:
    """Hash of the tables that an answer depends on besides the bundle: signals, policy, taxonomy."""
    folders = [Path(str(room.__file__)).parent for room in (data, models)]
    files = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _version() -> str:
    try:
        return version("yujing")
    except PackageNotFoundError:
        return "unknown"

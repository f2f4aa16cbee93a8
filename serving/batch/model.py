"""The scorer of a batch run: how its workers load it, and what its answers depend on."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import data
import models
import serving
from data.errors import ConfigError
from serving.scoring import SupportsScore, load_scorer
from serving.settings import Settings

ROOMS = tuple(Path(str(room.__file__)).parent for room in (data, models, serving))  # what answers are made by


@dataclass(frozen=True)
class LoadScorer:
    """Loads the scorer in a worker; equal settings make equal loaders, also after they were sent to another process.

    `expected`: what `model_identity` must be there too, empty = not asked. ConfigError where it is another.
    """

    settings: Settings
    first_stage: bool = False
    expected: tuple[tuple[str, str], ...] = ()

    def __call__(self) -> SupportsScore:
        mine = model_identity(self) if self.expected else {}
        if other := [name for name, value in self.expected if mine[name] != value]:
            raise ConfigError(
                f"another {', '.join(other)} than where the run was begun, so other answers: make them the same"
            )
        return load_scorer(self.settings, self.first_stage)


def model_identity(load: LoadScorer) -> dict[str, str]:
    """What the answers depend on, this CPU's arithmetic too; BundleError or ConfigError when one is unusable."""
    from models.bundle import find_first_stage, open_bundle
    from models.cpu import has_bf16, has_vnni

    settings = load.settings
    words = "\n".join(settings.read_watch_words())
    bundle = open_bundle(settings.bundle)
    return {
        "bundle": bundle.manifest.digest,
        "first_stage": str(find_first_stage(bundle)) if load.first_stage else "",
        "engine": settings.engine,
        "precision": ("bf16" if has_bf16() else "f32") + ("" if has_vnni() else ", no VNNI"),
        "calibration_days": str(settings.calibration_days),
        "watch_words": hashlib.sha256(words.encode()).hexdigest(),
        "tables": _tables(settings),
        "code": code_digest(ROOMS),
        "version": _version(),
    }


@cache
def code_digest(rooms: tuple[Path, ...]) -> str:
    """Hash of all Python files: a checkout that was pulled or edited has the version that it had before.

    Read once, as a process goes on with the code that it began with.
    """
    files = [(room.parent, path) for room in rooms for path in sorted(room.rglob("*.py")) if path.is_file()]
    parts = [part for above, path in files for part in (os.fsencode(path.relative_to(above)), path.read_bytes())]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _tables(settings: Settings) -> str:
    """Hash of the tables that an answer depends on besides the bundle: the packaged ones, and one's own."""
    files = [path for room in ROOMS for path in sorted(room.glob("*.toml"))]
    files += [path for path in (settings.policy, settings.signals) if path is not None]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _version() -> str:
    try:
        return version("yujing")
    except PackageNotFoundError:
        return "unknown"

"""The recorder's settings for the process that serves, checked before it starts."""

from __future__ import annotations

from pathlib import Path

from models.bundle import open_bundle
from serving.drift.monitor import find_reference
from serving.drift.settings import DriftSettings
from serving.store.settings import StoreSettings


def recorder_env(bundle: Path | None, store: Path | None) -> dict[str, str]:
    """Environment of the service, paths absolute; ConfigError for what it could not start with."""
    settings, drift = StoreSettings.from_env(folder=store), DriftSettings.from_env()
    if drift.reference is not None:
        find_reference(drift, open_bundle(bundle))
    return {**(settings.to_env() if settings else {}), **drift.to_env()}

"""The recorder's settings for the process that serves, checked before it starts."""

from __future__ import annotations

from pathlib import Path

from models.bundle import open_bundle
from serving.drift.settings import DriftSettings, find_reference
from serving.store.settings import StoreSettings


def recorder_env(bundle: Path | None, store: Path | None) -> dict[str, str]:
    """Environment of the service, paths absolute; ConfigError for what it could not start with."""
    settings, drift = StoreSettings.from_env(folder=store), DriftSettings.from_env()
    if settings is not None:
        _check_store(settings)
    if drift.reference is not None:
        find_reference(drift, open_bundle(bundle))
    return {**(settings.to_env() if settings else {}), **drift.to_env()}


def _check_store(settings: StoreSettings) -> None:
    """Its folder can be written and its database has a driver; whether that answers now is no matter."""
    from serving.store.database import Database  # SQLAlchemy and Alembic: only where something is stored

    settings.make_folder()
    Database(settings.database()).close()

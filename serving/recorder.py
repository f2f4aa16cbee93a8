"""What happens to an answer beside its being sent: it is remembered, and compared with what is usual."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.records import Item
from data.results import Result
from models.bundle import open_bundle
from serving.drift.monitor import Monitor, open_monitor
from serving.settings import Settings
from serving.store.settings import StoreSettings

if TYPE_CHECKING:
    from serving.store.memory import Memory

logger = logging.getLogger("bentoml.yujing")


class Recorder:
    """Memory and drift monitor of a service, each only where it is switched on."""

    def __init__(self, memory: Memory | None, monitor: Monitor | None) -> None:
        self.memory, self.monitor = memory, monitor

    @classmethod
    def open(cls, settings: Settings, model_id: str) -> Recorder:
        """Both as the environment wants them; ConfigError for an unusable setting."""
        store = StoreSettings.from_env()
        return cls(_memory(store, settings.bundle) if store else None, open_monitor(settings.bundle, model_id))

    def record(self, items: Sequence[Item], results: list[Result], seconds: float) -> list[Result]:
        """The results as they are to be sent: with prediction ids where they are stored. Never raises, never waits."""
        try:
            if self.monitor is not None:
                self.monitor.put(items, results)
            if self.memory is not None:
                return self.memory.remember(items, results, seconds)
        except Exception as fault:  # an answer must not be lost because it could not be remembered
            logger.error("an answer was not recorded: %s", type(fault).__name__)
        return results

    def follow(self, bundle: Path | None, model_id: str) -> None:
        """Compare with the reference of another bundle from now on: call it after the service has changed its model."""
        before, self.monitor = self.monitor, open_monitor(bundle, model_id)
        if before is not None:
            before.close()

    def close(self) -> None:
        """Write what waits; called when the service stops."""
        for part in (self.memory, self.monitor):
            if part is not None:
                part.close()


def _memory(settings: StoreSettings, bundle: Path | None) -> Memory:
    from serving.store.memory import Memory  # SQLAlchemy and Alembic: only where something is stored

    return Memory(settings, open_bundle(bundle).taxonomy)

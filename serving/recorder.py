"""What happens to an answer beside its being sent: it is remembered, and compared with what is usual."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from data.records import Item
from data.results import Result
from models.bundle import open_bundle
from serving.drift.monitor import Monitor, open_monitor
from serving.drift.report import publish
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
        memory = _memory(store, settings.bundle) if store else None
        monitor = open_monitor(settings.bundle, model_id)
        publish(monitor.report() if monitor else None)
        return cls(memory, monitor)

    def record(self, items: Sequence[Item], results: list[Result], seconds: float) -> list[Result]:
        """The results as they are to be sent: with prediction ids where they are stored. Never raises, never waits."""
        memory, monitor = self.memory, self.monitor  # read once: `follow` may exchange the monitor meanwhile
        if monitor is not None:
            with _kept_going("compared"):
                monitor.put(items, results)
        if memory is not None:
            with _kept_going("stored"):
                return memory.remember(items, results, seconds)
        return results

    def follow(self, bundle: Path | None, model_id: str) -> None:
        """Compare with the reference of another bundle from now on: call it after the service has changed its model.

        With the same reference (tables were read anew) the window stays, else who reloads often would hear no alarm.
        Never raises: the model is changed already. Not for an event loop: it reads the bundle and waits for a thread.
        """
        fresh = None
        with _kept_going("compared from now on"):
            fresh = open_monitor(bundle, model_id)
        if self.memory is not None:
            with _kept_going("corrected by its taxonomy"):
                self.memory.taxonomy = open_bundle(bundle).taxonomy
        before = self.monitor
        if before is not None and fresh is not None and before.reference == fresh.reference:
            fresh.close()
            return
        self.monitor = fresh
        if before is not None:
            before.close()
        publish(fresh.report() if fresh else None)

    def close(self) -> None:
        """Write what waits; called when the service stops."""
        for part in (self.memory, self.monitor):
            if part is not None:
                part.close()


@contextmanager
def _kept_going(what: str) -> Iterator[None]:
    """An answer must not be lost because it could not be remembered; a fault's message may quote it."""
    try:
        yield
    except Exception as fault:
        logger.error("answers are not %s: %s", what, type(fault).__name__)


def _memory(settings: StoreSettings, bundle: Path | None) -> Memory:
    from serving.store.memory import Memory  # SQLAlchemy and Alembic: only where something is stored

    return Memory(settings, open_bundle(bundle).taxonomy)

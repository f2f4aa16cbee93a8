"""The model that answers now, and its exchange while requests run."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from data.errors import BundleError, YujingError
from models.bundle import Bundle, open_bundle
from serving import metrics
from serving.golden import read_golden
from serving.model_card import head_calibrations
from serving.remembered import remembering
from serving.scoring import SupportsServing, load_scorer, naming_bundle
from serving.self_test import self_test
from serving.settings import Settings

logger = logging.getLogger("bentoml.yujing.live")


class BusyError(YujingError):
    """A swap while another one is under way."""

    code = "reload_in_progress"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scorer that passed its self-test, and the bundle it comes from."""

    scorer: SupportsServing
    bundle: Bundle


def load_tested(settings: Settings) -> Loaded:
    """Load a bundle and test it (seconds; the first time its engine is built too); BundleError when it fails."""
    start = time.monotonic()
    bundle = open_bundle(settings.bundle)
    scorer = load_scorer(settings, shared=True)
    if scorer.model_id != bundle.model_id:
        raise BundleError(f"{bundle.folder} changed while it was loaded: try again")
    golden = read_golden(bundle)
    if golden is None:
        logger.warning("the bundle has no golden posts, only general laws are tested", extra={"model": scorer.model_id})
    tested = self_test(scorer, golden, bundle.taxonomy)
    seconds = round(time.monotonic() - start, 1)
    logger.info("self-test passed", extra={"model": scorer.model_id, "items": tested, "seconds": seconds})
    return Loaded(remembering(scorer, settings.remembered), bundle)  # after the test, which shall ask the engine


def tell_calibration(bundle: Bundle, settings: Settings) -> None:
    """How old each head's calibration is: as a metric, and in the log once where it is older than configured."""
    for head, found in head_calibrations(bundle, settings.calibration_days).items():
        if found.calibrated_until is None:
            continue
        metrics.CALIBRATED_UNTIL.labels(head).set(found.calibrated_until.timestamp())
        if found.stale:
            until, days = f"{found.calibrated_until:%Y-%m-%d}", found.stale_after_days
            what = {"head": head, "calibrated_until": until, "stale_after_days": days}
            logger.warning("calibration is stale: run `yujing train escalation --recalibrate`", extra=what)


class Live:
    """Holds what is loaded. A request takes `current` once, so a swap never mixes two models in one answer."""

    def __init__(self, settings: Settings, load: Callable[[Settings], Loaded]) -> None:
        self.settings = settings
        self._load = load
        self._swapping = Lock()
        with naming_bundle(settings):
            self.current = load(settings)
        metrics.MODEL_INFO.labels(self.current.scorer.model_id).set(1)
        tell_calibration(self.current.bundle, settings)

    def swap(self, folder: Path | None = None, then: Callable[[Loaded], None] = lambda _: None) -> Loaded:
        """Load `folder` (None = the folder of the start) beside the current bundle, exchange them, call `then`.

        The current one stays when the new one is refused (YujingError); BusyError while another swap runs, `then`
        included. Takes seconds, or minutes where an engine is built: not for an event loop.
        """
        if not self._swapping.acquire(blocking=False):
            raise BusyError("another reload is under way: wait for it")
        try:
            fresh = self._exchange(folder)
            then(fresh)
        finally:
            self._swapping.release()
        return fresh

    def _exchange(self, folder: Path | None) -> Loaded:
        try:
            fresh = self._load(replace(self.settings, bundle=folder or self.settings.bundle))
        except Exception as error:
            metrics.RELOADS.labels("refused").inc()
            code = getattr(error, "code", type(error).__name__)  # the caller hears why
            logger.error("reload refused, the current bundle stays", extra={"code": code})
            raise
        before, self.current = self.current, fresh
        metrics.RELOADS.labels("done").inc()
        metrics.MODEL_INFO.labels(before.scorer.model_id).set(0)
        metrics.MODEL_INFO.labels(fresh.scorer.model_id).set(1)
        for head in before.bundle.manifest.escalation:  # the new bundle may lack it
            metrics.CALIBRATED_UNTIL.labels(head).set(math.nan)
        tell_calibration(fresh.bundle, self.settings)
        logger.info("reloaded", extra={"model": fresh.scorer.model_id, "previous": before.scorer.model_id})
        return fresh

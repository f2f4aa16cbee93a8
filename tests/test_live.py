"""The model that answers now: exchanged whole or not at all."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from keyword_scorer import KeywordScorer
from stored import metric

from data.errors import BundleError
from models.bundle import open_bundle
from serving.live import BusyError, Live, Loaded
from serving.metrics import exposition
from serving.settings import Settings


class Named(KeywordScorer):
    def __init__(self, folder: Path | None) -> None:
        self.model_id = f"yujing-risk:{folder}"


def load(settings: Settings) -> Loaded:
    if settings.bundle == Path("bad"):
        raise BundleError("bad: self-test failed")
    return Loaded(Named(settings.bundle), open_bundle(None))


def test_a_good_bundle_takes_over_and_a_bad_one_does_not() -> None:
    live = Live(Settings(bundle=Path("first")), load)
    assert live.swap(Path("second")) is live.current
    assert live.current.scorer.model_id == "yujing-risk:second"
    with pytest.raises(BundleError):
        live.swap(Path("bad"))
    assert live.current.scorer.model_id == "yujing-risk:second"
    assert live.swap().scorer.model_id == "yujing-risk:first"  # without a folder: as at the start


def test_a_load_that_fails_by_surprise_is_counted_and_the_next_may_begin() -> None:
    def full(settings: Settings) -> Loaded:
        if settings.bundle is not None:
            raise OSError("no space left for the engine")
        return load(settings)

    live, before = Live(Settings(), full), metric("yujing_reloads_total", outcome="refused")
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            live.swap(Path("second"))
    assert live.current.scorer.model_id == "yujing-risk:None"
    assert metric("yujing_reloads_total", outcome="refused") == before + 2


def test_a_head_that_the_new_bundle_lacks_has_no_age() -> None:
    shipped = open_bundle(None)
    lacking = replace(shipped, manifest=replace(shipped.manifest, escalation={}))
    bundles = iter([shipped, lacking])
    live = Live(Settings(), lambda settings: Loaded(Named(settings.bundle), next(bundles)))
    name = "yujing_calibrated_until_timestamp_seconds"
    assert metric(name, head="counts") > 0
    live.swap()
    assert math.isnan(metric(name, head="counts"))


def test_an_old_calibration_is_told_once_at_the_start_and_as_a_metric(caplog: pytest.LogCaptureFixture) -> None:
    def told(days: int) -> list[str]:
        caplog.clear()
        with caplog.at_level("WARNING", logger="bentoml.yujing.live"):
            Live(Settings(calibration_days=days), load)
        return [record.__dict__["head"] for record in caplog.records]

    assert told(1) == [*open_bundle(None).manifest.escalation]
    assert told(100_000) == []
    assert b'yujing_calibrated_until_timestamp_seconds{head="counts"}' in exposition()


def test_one_swap_at_a_time_and_the_old_model_answers_meanwhile() -> None:
    begun, finish = Event(), Event()

    def slow(settings: Settings) -> Loaded:
        if settings.bundle is not None:
            begun.set()
            finish.wait(10)
        return load(settings)

    live = Live(Settings(), slow)
    before = live.current
    thread = Thread(target=live.swap, args=(Path("second"),))
    thread.start()
    assert begun.wait(10)
    with pytest.raises(BusyError):
        live.swap(Path("third"))
    assert live.current is before
    finish.set()
    thread.join()
    assert live.current.scorer.model_id == "yujing-risk:second"

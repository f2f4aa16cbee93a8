"""The recorder by itself: no fault of one part costs an answer or the other part, and the monitor follows the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from keyword_scorer import KeywordScorer
from stored import metric

from data.records import Item
from models.bundle import Bundle
from serving.drift import metrics
from serving.drift.monitor import Monitor, open_monitor
from serving.recorder import Recorder
from serving.recorder_pages import _drift
from serving.settings import Settings

SECRET = "某某客户的秘密投诉内容"


class Broken:
    """A memory or a monitor with a bug that repeats what it was given."""

    def remember(self, *_: object) -> list[Any]:
        raise ValueError(f"a bug that repeats {SECRET}")

    put = remember


class Kept:
    def remember(self, _: object, results: list[Any], __: float) -> list[Any]:
        return [replace(result, prediction_id="0" * 32) for result in results]


def test_an_answer_goes_out_even_when_it_cannot_be_remembered(caplog: pytest.LogCaptureFixture) -> None:
    items = [Item(text=SECRET)]
    results = KeywordScorer().score(items)
    assert Recorder(Broken(), None).record(items, results, 0.1) is results  # type: ignore[arg-type]
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text


def test_an_answer_is_remembered_even_when_it_cannot_be_compared(caplog: pytest.LogCaptureFixture) -> None:
    items = [Item(text=SECRET)]
    [given] = Recorder(Kept(), Broken()).record(items, KeywordScorer().score(items), 0.1)  # type: ignore[arg-type]
    assert given.prediction_id == "0" * 32
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text


class Exchanged(Recorder):
    """At each second look another thread has taken the monitor away."""

    looks = 0

    @property
    def monitor(self) -> Monitor | None:  # type: ignore[override]
        self.looks += 1
        return self.kept if self.looks % 2 else None

    @monitor.setter
    def monitor(self, monitor: Monitor | None) -> None:
        self.kept = monitor


def test_a_monitor_that_is_exchanged_meanwhile_costs_no_answer(referenced: Bundle) -> None:
    monitor = open_monitor(referenced.folder, referenced.model_id)
    assert monitor is not None
    recorder, items = Exchanged(None, monitor), [Item(text="假货")]
    recorder.memory = Kept()  # type: ignore[assignment]
    [given] = recorder.record(items, KeywordScorer().score(items), 0.1)
    assert given.prediction_id == "0" * 32
    recorder.looks = 0
    assert _drift(Exchanged(None, monitor)).status_code == 200
    monitor.close()


def test_the_metrics_tell_from_the_start_that_nothing_is_compared(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YUJING_STORE", raising=False)
    metrics.STATE.labels("length").set(metrics.STATES["alarm"])  # of a worker that was there before
    recorder = Recorder.open(Settings(bundle=tiny_bundle.folder), tiny_bundle.model_id)
    assert recorder.monitor is None
    assert metric("yujing_drift_state", statistic="length") == -1


def test_the_monitor_follows_the_model_and_leaves_no_old_alarm(
    referenced: Bundle, tiny_bundle: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    recorder, state = Recorder(None, None), metrics.STATE.labels("length")
    recorder.follow(referenced.folder, referenced.model_id)
    assert recorder.monitor is not None
    kept = recorder.monitor
    state.set(metrics.STATES["alarm"])
    recorder.follow(referenced.folder, referenced.model_id)  # a reload of the same: its window stays
    assert recorder.monitor is kept
    assert kept._thread.is_alive()
    assert metric("yujing_drift_state", statistic="length") == metrics.STATES["alarm"]
    for without in (tiny_bundle.folder, tiny_bundle.folder / "missing"):
        state.set(metrics.STATES["alarm"])
        recorder.follow(without, tiny_bundle.model_id)
        assert recorder.monitor is None
        assert metric("yujing_drift_state", statistic="length") == -1
    assert "answers are not compared from now on: BundleError" in caplog.text

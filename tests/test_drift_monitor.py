"""The drift monitor: its window slides and forgets, load and arrears leave posts out, metrics tell what is now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from observed import REFERENCE, stream
from stored import metric, until

from data.records import Item
from data.results import CategoryResult, Result
from data.samples import sample_examples
from models.bundle import Bundle, open_bundle
from models.engine_build import load_tokens
from models.scorer import Scorer
from serving.drift.compare import NAMES, compare
from serving.drift.monitor import Monitor, open_monitor
from serving.drift.reference import MIN_POSTS
from serving.drift.report import DriftReport, publish


def answers(texts: list[str], scorer: Scorer) -> tuple[list[Item], list[Result]]:
    items = [Item(text=text) for text in texts]
    return items, scorer.score(items)


def test_the_window_slides(referenced: Bundle, tiny_scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUJING_DRIFT_WINDOW", "400")
    assert open_monitor(referenced.folder, "yujing-risk:other") is None
    monitor = open_monitor(referenced.folder, referenced.model_id)
    assert monitor is not None
    texts = [example.text for example in sample_examples()]
    items, results = answers(texts, tiny_scorer)
    monitor.put(items, results)
    until(lambda: monitor.report().posts == len(texts))
    report = monitor.report()
    assert (report.state, report.statistics) == ("too_few", [])
    for _ in range(4):
        monitor.put(items, results)
    until(lambda: monitor.report().posts == 400)
    report = monitor.report()
    assert report.window == 400
    assert [one.name for one in report.statistics] == list(NAMES)
    assert report.state == "ok"  # the samples are the reference
    for _ in range(4):
        monitor.put(*answers(["龘龘 qwzx " * 40] * 100, tiny_scorer))
    until(lambda: monitor.report().state == "alarm")
    publish(monitor.report())
    monitor.close()


def test_under_load_a_share_is_drawn_once_a_window_is_full(
    referenced: Bundle, tiny_scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUJING_DRIFT_WINDOW", "300")
    monkeypatch.setattr("serving.drift.monitor.PACE", 0.0)
    monitor = open_monitor(referenced.folder, referenced.model_id)
    assert monitor is not None
    monitor.put(*answers(["很好很好很好"] * 280, tiny_scorer))
    until(lambda: monitor.report().posts == 280)
    monitor.put(*answers(["龘"] * 140, tiny_scorer))
    until(lambda: monitor.report().posts == 300)
    assert [one.length for _, one in monitor._window].count(1) == 20  # of 140: all that a window has left
    monitor.close()


def test_a_monitor_that_is_behind_skips_and_counts(referenced: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    from prometheus_client import REGISTRY

    monkeypatch.setattr("serving.drift.monitor.WAITING", 1)
    monitor = Monitor(REFERENCE, load_tokens(referenced), 300)
    monitor.close()  # nobody takes anything any more
    before = REGISTRY.get_sample_value("yujing_drift_skipped_posts_total") or 0.0
    for _ in range(3):
        monitor.put([Item(text="好")] * 2, [Result(id=None)] * 2)
    assert REGISTRY.get_sample_value("yujing_drift_skipped_posts_total") == before + 4


def test_the_metrics_tell_of_the_report_that_is_now() -> None:
    found = compare(REFERENCE, stream(1, 500, needs_review=True))
    told = DriftReport(
        state="alarm", posts=500, window=500, since=None, reference_model="m", reference_posts=3_000,
        reference_made_at=REFERENCE.made_at, statistics=found,
    )  # fmt: skip
    name = {"statistic": "mean_needs_review"}
    publish(told)
    assert (metric("yujing_drift_state", **name), metric("yujing_drift_window_posts")) == (2, 500)
    for nothing in (replace(told, state="too_few", posts=3, statistics=[]), None):
        publish(nothing)
        assert metric("yujing_drift_state", **name) == -1
        assert metric("yujing_drift_window_posts") == (3 if nothing else 0)
        assert np.isnan(metric("yujing_drift_value", **name))


def test_the_metrics_catch_up_though_nothing_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.drift.monitor.REFRESH_SECONDS", 2.0)
    monitor = Monitor(REFERENCE, load_tokens(open_bundle(None)), 1_000)
    category = CategoryResult("none", "无危机", 0.9, ("none",), {})
    posts = [Item(text="好")] * MIN_POSTS, [Result(id=None, category=category, model=REFERENCE.model)] * MIN_POSTS
    for total in (MIN_POSTS, 2 * MIN_POSTS):
        monitor.put(*posts)
        until(lambda total=total: metric("yujing_drift_window_posts") == total)  # type: ignore[misc]
    monitor.close()

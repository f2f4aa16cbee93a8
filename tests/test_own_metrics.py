"""The service's own metrics: a killed worker's requests do not stay under way, labels come from our tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from keyword_scorer import KeywordScorer

from data.records import Item
from models.policy import Policy
from serving import metrics


def test_gauges_of_killed_workers_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr("serving.metrics.psutil.pid_exists", lambda pid: pid == os.getpid())
    mine = tmp_path / f"gauge_livesum_{os.getpid()}.db"
    dead = [tmp_path / f"gauge_{mode}_4194303.db" for mode in ("livesum", "livemin", "mostrecent")]
    total = tmp_path / "counter_4194303.db"
    for path in (mine, *dead, total):
        path.touch()
    metrics.forget_dead_workers()
    assert set(tmp_path.iterdir()) == {mine, total}  # what it has counted still counts


def test_without_a_shared_folder_there_is_nothing_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    metrics.forget_dead_workers()
    metrics.count(KeywordScorer().score([Item(text="爆炸")]), Policy.load())
    assert b'yujing_posts_total{category="public_safety"}' in metrics.exposition()

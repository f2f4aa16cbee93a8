"""Ray's actors: too many of them, one that refuses, no cluster; skipped where Ray is not installed."""

from __future__ import annotations

import importlib.util
import os
from functools import partial
from pathlib import Path

import pytest
import soak_batch
from keyword_scorer import KeywordScorer
from mortal_scorer import Mortal, refuse

from data.errors import BundleError, ConfigError
from serving.batch.pools import Here, Load, WorkersLostError
from serving.batch.processes import cores
from serving.batch.ray_pool import RayActors
from serving.batch.run import Job, score_files

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of ten windows; workers find the modules of the tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])]))
    monkeypatch.setenv("RAY_worker_niceness", "0")
    return soak_batch.write_posts(tmp_path / "in.jsonl", 500)


def run(source: Path, load: Load, count: int = 1) -> tuple[bytes, bytes]:
    target = source.with_name("ray.jsonl")
    score_files(Job(str(source), target, window=50), RayActors(load, "local", count))
    return soak_batch.outputs(target)


def test_actors_for_which_there_is_no_room_keep_nothing_back(source: Path) -> None:
    target = source.with_name("here.jsonl")
    score_files(Job(str(source), target, window=50), Here(KeywordScorer))
    assert run(source, KeywordScorer, (os.cpu_count() or cores()) + 1) == soak_batch.outputs(target)


def test_an_actors_expected_error_is_the_runs(source: Path) -> None:
    with pytest.raises(BundleError, match=r"^tampered with$"):
        run(source, refuse)
    assert [path.name for path in source.parent.iterdir()] == ["in.jsonl"]


def test_actors_that_always_die_end_the_run(source: Path) -> None:
    with pytest.raises(WorkersLostError, match="an actor died 4 times"):
        run(source, partial(Mortal, None))


@pytest.mark.parametrize("address", ["ray://127.0.0.1:9", "127.0.0.1:9", "nonsense://x"])
def test_no_cluster_is_one_clear_line(source: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_connect_timeout_s", "1")
    with pytest.raises(ConfigError, match=f"--ray {address}: .*give the address of a running cluster"):
        score_files(Job(str(source), source.with_name("out.jsonl")), RayActors(KeywordScorer, address))

"""Ray's actors: too many of them, one that refuses, no cluster. What needs Ray is skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import soak_batch
from keyword_scorer import KeywordScorer
from mortal_scorer import Mortal, refuse

from data.errors import BundleError
from serving.batch.pools import Here, Load, WorkersLostError
from serving.batch.processes import cores
from serving.batch.ray_pool import FRAMES, RayActors, Worker, _spread
from serving.batch.run import Job, score_files
from serving.batch.windows import Window

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


@dataclass(eq=False)
class Ref:
    value: object
    ready: bool


@dataclass(eq=False)
class Actor:
    """Answers at once where the cluster has room for it, else never."""

    room: bool
    given: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin = SimpleNamespace(remote=lambda: Ref(None, self.room))
        self.work = SimpleNamespace(remote=self._work)

    def _work(self, window: Window, kind: str) -> Ref:
        self.given.append(window.number)
        return Ref(kind.encode(), self.room)


class Ray:
    """What `_spread` asks of Ray; to wait for what never comes is an error here."""

    def wait(self, refs: Sequence[Ref], num_returns: int, timeout: float | None = None) -> tuple[list[Ref], list[Ref]]:
        ready = [ref for ref in refs if ref.ready]
        assert ready or timeout, "waits for ever"
        return ready[:num_returns], []

    def get(self, ref: Ref) -> object:
        return ref.value


@pytest.mark.parametrize("rooms", [[True], [True, False], [False, True, True]])
@pytest.mark.parametrize("windows", [0, 1, 7])
def test_an_actor_gets_windows_once_it_has_begun(rooms: list[bool], windows: int) -> None:
    actors = [Actor(room) for room in rooms]
    done = list(_spread(Ray(), actors, iter([Window(number, [], 0.0) for number in range(windows)]), "csv"))
    assert sorted(window.number for window, _ in done) == [*range(windows)]
    assert sorted(number for actor in actors for number in actor.given) == [*range(windows)]
    assert not any(actor.given for actor in actors if not actor.room)


def test_a_cluster_without_room_is_waited_for_but_not_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AssertionError, match="waits for ever"):
        next(_spread(Ray(), [Actor(False)], iter([Window(0, [], 0.0)]), "csv"))
    assert "no actor has begun for 120 s: is a CPU free there?" in caplog.text


def test_frames_of_the_other_side_are_not_told() -> None:
    frames = 'Traceback (most recent call last):\n  File "x.py", line 7, in f\n    g()\n'
    assert FRAMES.sub("", f"the server:\n{frames}RuntimeError: no backend") == "the server:\nRuntimeError: no backend"


def test_an_actors_expected_error_names_its_machine() -> None:
    with pytest.raises(BundleError, match=f"^node {platform.node()}: tampered with$"):
        Worker(refuse).work(Window(0, [], 0.0), "csv")


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


@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_actors_for_which_there_is_no_room_keep_nothing_back(source: Path) -> None:
    target = source.with_name("here.jsonl")
    score_files(Job(str(source), target, window=50), Here(KeywordScorer))
    assert run(source, KeywordScorer, (os.cpu_count() or cores()) + 1) == soak_batch.outputs(target)


@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_an_actors_expected_error_is_the_runs(source: Path) -> None:
    with pytest.raises(BundleError, match=r"^node .*: tampered with$"):
        run(source, refuse)
    assert [path.name for path in source.parent.iterdir()] == ["in.jsonl"]


@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_actors_that_always_die_end_the_run(source: Path) -> None:
    with pytest.raises(WorkersLostError, match="an actor died 4 times"):
        run(source, partial(Mortal, None))


@needs_ray
@pytest.mark.parametrize(
    ("address", "auth"),
    [
        ("ray://127.0.0.1:9", "disabled"),  # given up after 30 s
        ("127.0.0.1:9", "token"),  # and no token: Ray does not even try
    ],
)
def test_no_cluster_is_one_clear_line(address: str, auth: str, source: Path) -> None:
    """In a process of its own, which Ray's client leaves unusable."""
    args = ["score", str(source), str(source.with_name("out.jsonl")), "--ray", address]
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH_")}
    env |= {"RAY_AUTH_MODE": auth, "HOME": str(source.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "serving.cli", *args], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert f"--ray {address}" in said
    assert "give the address of a running cluster" in said
    assert "Traceback" not in said

"""Faults of the live service: its worker is killed, its disk is full, its database goes and comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from postgres import postgres_server

from serving.process import Running, running

TESTS = Path(__file__).parent
SERVICE = "keyword_service:Yujing"
SECONDS = 60.0


def ask(server: Running, path: str, body: object, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, headers=headers, trust_env=False, timeout=30)


def score(server: Running, *texts: str, **headers: str) -> list[str]:
    answer = ask(server, "/score", {"items": [{"text": text} for text in texts]}, **headers)
    assert answer.status_code == 200, answer.text
    return [result["prediction_id"] for result in answer.json()]


def correct(server: Running, prediction: str) -> httpx.Response:
    return ask(server, "/feedback", {"prediction_id": prediction, "who": "王", "category": "product_quality"})


def until(step: Callable[[], Any]) -> None:
    """Try again until the step is true; a connection that fails is not."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if step():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail("it did not happen")


def test_a_killed_worker_is_replaced_and_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    with running({"YUJING_STORE": str(tmp_path)}, SERVICE, TESTS) as server:
        ids: list[str] = []
        for _ in range(3):
            [prediction] = score(server, "假货", **{"Idempotency-Key": "k"})
            assert correct(server, prediction).status_code == 200
            ids.append(prediction)
            workers = psutil.Process(server.pid).children(recursive=True)
            for worker in workers:
                os.kill(worker.pid, signal.SIGKILL)
            psutil.wait_procs(workers, timeout=10)
            until(lambda: httpx.get(f"{server.url}/readyz", trust_env=False, timeout=2).is_success)
        assert len(set(ids)) == 3  # the memory of Idempotency-Key is the worker's own
        for prediction in ids:  # all of them are still known
            until(lambda prediction=prediction: correct(server, prediction).status_code == 200)


def test_scoring_goes_on_while_postgresql_is_stopped(tmp_path: Path) -> None:
    with postgres_server() as database:
        env = {"YUJING_STORE": str(tmp_path), "DATABASE_URL": database.url}
        with running(env, SERVICE, TESTS) as server:
            [early] = score(server, "假货")
            assert correct(server, early).status_code == 200
            database.stop()
            late = [score(server, "假货", "挺好")[0] for _ in range(10)]
            refused = correct(server, late[0])
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
            database.start()
            until(lambda: correct(server, late[0]).status_code == 200)
            for prediction in (early, *late):
                assert correct(server, prediction).status_code == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room for another byte."""
    path = disk / "filler"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4_096):
            pass
    assert not shutil.disk_usage(disk).free
    return path


def test_a_full_disk_stops_no_answer_and_is_survived(small_disk: Path) -> None:
    with running({"YUJING_STORE": str(small_disk)}, SERVICE, TESTS) as server:
        [early] = score(server, "假货")
        assert correct(server, early).status_code == 200
        filler = fill(small_disk)
        for _ in range(20):
            score(server, *["假货" * 50] * 20)  # more than could be kept
        assert correct(server, early).status_code in (200, 503)  # a page that is there may still take it
        filler.unlink()
        [late] = score(server, "挺好")
        until(lambda: correct(server, late).status_code == 200)
        assert correct(server, early).status_code == 200
        lines = server.log.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "Traceback" in line]

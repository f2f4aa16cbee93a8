"""The real service with keys and small limits, in its own process: rates, overload, exchange of models, a calm end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from keyword_scorer import SLOW

from models.bundle import SHIPPED
from serving.gate.keys import new_key
from serving.process import Running, running

TESTS = Path(__file__).parent
DESK, DESK_KEY = new_key("desk", ["score"])
HASTY, HASTY_KEY = new_key("hasty", ["score", "feedback"])
CHIEF, CHIEF_KEY = new_key("chief", ["admin"])


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.txt"
    path.write_text(f"{DESK_KEY.line}\n{HASTY_KEY.line}\n{CHIEF_KEY.line}\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def server(keys_file: Path) -> Iterator[Running]:
    settings = {
        "YUJING_KEYS_FILE": str(keys_file),
        "YUJING_CONCURRENCY": "3",
        "YUJING_RATE": "0.01",
        "YUJING_BURST": "30",
    }
    with running(settings, service="keyword_service:Yujing", root=TESTS) as server:
        yield server


def post(server: Running, key: str, path: str = "/score", body: object = None, **headers: str) -> httpx.Response:
    sent = {"items": [{"text": "假货"}]} if body is None else body
    headers = {"Authorization": f"Bearer {key}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.url}{path}", json=sent, headers=headers, trust_env=False, timeout=30)


def under_way(server: Running) -> float:
    lines = httpx.get(f"{server.url}/metrics", trust_env=False).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("yujing_queue_depth "))


def until_under_way(server: Running, number: int) -> None:
    deadline = time.monotonic() + 20
    while under_way(server) < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_only_keys_with_the_scope_score(server: Running) -> None:
    assert httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200
    assert httpx.get(f"{server.url}/taxonomy", trust_env=False).status_code == 401
    assert [post(server, key).status_code for key in (DESK, CHIEF, "yj_guess")] == [200, 403, 401]
    assert DESK not in server.log.read_text(encoding="utf-8")


def test_keys_are_exchanged_without_a_restart(server: Running, keys_file: Path) -> None:
    late, late_key = new_key("late", ["score"])
    assert post(server, late).status_code == 401
    before = keys_file.read_text(encoding="utf-8")
    keys_file.write_text(f"{before}{late_key.line}\n", encoding="utf-8")
    assert post(server, late).status_code == 200
    keys_file.write_text(before, encoding="utf-8")
    assert post(server, late).status_code == 401


def test_a_hasty_key_waits_and_others_do_not(server: Running) -> None:
    *allowed, refused = (post(server, HASTY) for _ in range(31))
    assert {answer.status_code for answer in allowed} == {200}
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 100
    assert post(server, DESK).status_code == 200


def test_a_full_service_refuses_at_once_and_loses_nothing(server: Running) -> None:
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(post, server, DESK, body={"items": [{"text": SLOW}]}) for _ in range(3)]
        until_under_way(server, 3)
        refused = post(server, DESK)
        assert not any(one.done() for one in slow)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"]["code"] == "overloaded"
        assert httpx.get(f"{server.url}/livez", trust_env=False).status_code == 200
        assert [one.result().status_code for one in slow] == [200, 200, 200]


def test_a_repeated_request_is_answered_from_memory(server: Running) -> None:
    first, again = (post(server, DESK, Idempotency_Key="k1") for _ in range(2))
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")
    assert post(server, DESK, body={"items": [{"text": "好"}]}, Idempotency_Key="k1").status_code == 422


def test_a_reload_is_for_admins_and_drops_no_request(server: Running, tmp_path: Path) -> None:
    assert post(server, DESK, "/admin/reload", {}).status_code == 403
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, server, DESK, body={"items": [{"text": SLOW}]})
        until_under_way(server, 1)
        done = post(server, CHIEF, "/admin/reload", {"bundle": str(SHIPPED)})
        assert (done.status_code, set(done.json())) == (200, {"model", "previous"})
        assert slow.result().status_code == 200
    bad = post(server, CHIEF, "/admin/reload", {"bundle": str(tmp_path)})
    assert (bad.status_code, bad.json()["error"]["code"]) == (422, "invalid_bundle")
    for body in ({"bundel": "x"}, [], {"bundle": 7}):
        assert post(server, CHIEF, "/admin/reload", body).status_code == 400
    assert post(server, DESK).status_code == 200


def test_sigterm_finishes_what_was_accepted(keys_file: Path) -> None:
    with running({"YUJING_KEYS_FILE": str(keys_file)}, service="keyword_service:Yujing", root=TESTS) as server:
        family = psutil.Process(server.pid).children(recursive=True)
        with ThreadPoolExecutor(3) as pool:
            slow = [pool.submit(post, server, DESK, body={"items": [{"text": SLOW}]}) for _ in range(3)]
            until_under_way(server, 3)
            os.kill(server.pid, signal.SIGTERM)
            assert [one.result().status_code for one in slow] == [200, 200, 200]
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive
        lines = [json.loads(line) for line in server.log.read_text(encoding="utf-8").splitlines()]
        assert not [line for line in lines if line["level"] in ("ERROR", "CRITICAL")]

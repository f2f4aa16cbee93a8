"""Feedback, deletion and drift over HTTP on the real service: durable answers, clear refusals, silent logs."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa

from serving.commands.demo import demo
from serving.process import Running, running
from serving.recorder_env import recorder_env
from serving.recorder_pages import MAX_BODY
from serving.store.database import Database
from serving.store.settings import StoreSettings
from serving.store.tables import feedback, predictions

TESTS = Path(__file__).parent
SECRET = "某某客户的秘密投诉内容"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    with running({"YUJING_STORE": str(folder)}, "keyword_service:Yujing", TESTS) as server:
        yield server


def ask(server: Running, method: str, path: str, **more: Any) -> httpx.Response:
    return httpx.request(method, f"{server.url}{path}", trust_env=False, timeout=30, **more)


def score(server: Running, *texts: str) -> list[str]:
    answer = ask(server, "POST", "/score", json={"items": [{"text": text} for text in texts]})
    return [result["prediction_id"] for result in answer.json()]


def correction(prediction: str, **changes: object) -> dict[str, object]:
    return {"prediction_id": prediction, "who": "王", "category": "product_quality", "severity": 1, **changes}


def count(folder: Path, table: sa.Table) -> int:
    base = Database(StoreSettings(folder=folder).database())
    try:
        with base.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    finally:
        base.close()


def test_an_answer_can_be_corrected_and_deleted(server: Running, folder: Path) -> None:
    first, second = score(server, f"假货{SECRET}", "挺好")
    assert first != second
    answer = ask(server, "POST", "/feedback", json=correction(first, note=SECRET))
    assert (answer.status_code, answer.json()) == (200, {"prediction_id": first, "stored": True})
    assert count(folder, feedback) == 1
    assert ask(server, "DELETE", f"/predictions/{first}").status_code == 204
    assert count(folder, feedback) == 0
    for gone in (
        ask(server, "DELETE", f"/predictions/{first}"),
        ask(server, "POST", "/feedback", json=correction(first)),
    ):
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_prediction")
    assert ask(server, "POST", "/feedback", json=correction(second)).status_code == 200


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{", "not valid JSON"),
        ([], "record: "),
        ({"who": "王", "category": "other"}, "prediction_id: "),
        (correction("x"), "prediction_id: "),
        (correction("0" * 32, who=""), "who: "),
        (correction("0" * 32, who=" \u3000\n"), "who: "),
        (correction("0" * 32, category=SECRET), "category: "),
        (correction("0" * 32, severity=-1), "severity: "),
        (correction("0" * 32, severity=True), "severity: Input should be a valid integer"),
        (correction("0" * 32, severity="1"), "severity: Input should be a valid integer"),
        (correction("0" * 32, escalated=1), "escalated: Input should be a valid boolean"),
        (correction("0" * 32, severity=9), "severity: "),
        (correction("0" * 32, category="none"), "severity: "),
        (correction("0" * 32, category=None, severity=None), "record: "),
        (correction("0" * 32, note="长" * 2_001), "note: "),
        (correction("0" * 32, more=SECRET), "more: "),
    ],
)
def test_a_faulty_correction_is_400_with_place_and_reason(server: Running, body: object, place: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = ask(server, "POST", "/feedback", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(place)
    assert SECRET not in answer.text


def test_a_body_above_the_limit_is_413(server: Running) -> None:
    answer = ask(server, "POST", "/feedback", content=b'"' + b"x" * MAX_BODY + b'"')
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_drift_without_a_reference_says_how_to_make_one(server: Running) -> None:
    answer = ask(server, "GET", "/drift")
    assert answer.status_code == 404
    assert "yujing drift reference" in answer.json()["error"]["message"]


def test_metrics_tell_of_the_memory(server: Running) -> None:
    score(server, "假货")
    text = ask(server, "GET", "/metrics").text
    for name in ("yujing_store_rows_total", "yujing_store_up", "yujing_store_queue_rows", "yujing_store_spool_rows"):
        assert f"\n{name}" in text
    assert "yujing_feedback_total" in text


def test_no_log_holds_a_post_or_a_note(server: Running) -> None:
    [prediction] = score(server, SECRET)
    ask(server, "POST", "/feedback", json=correction(prediction, note=SECRET, who=SECRET))
    ask(server, "POST", "/feedback", json=correction(prediction, note=SECRET * 500))
    for _ in range(100):  # a request's line is written after its answer
        if '"endpoint": "/feedback"' in (log := server.log.read_text(encoding="utf-8")):
            break
        time.sleep(0.1)
    assert '"endpoint": "/feedback"' in log
    for secret in (SECRET, json.dumps(SECRET)[1:-1], repr(SECRET.encode())[2:-1]):
        assert secret not in log


def test_kill_9_right_after_the_answer_loses_no_correction(tmp_path: Path) -> None:
    with running({"YUJING_STORE": str(tmp_path)}, "keyword_service:Yujing", TESTS) as server:
        ids = score(server, *["假货"] * 5)
        service = psutil.Process(server.pid)
        family = [service, *service.children(recursive=True)]
        for prediction in ids:
            assert ask(server, "POST", "/feedback", json=correction(prediction)).status_code == 200
        for process in family:
            os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)
    assert count(tmp_path, feedback) == 5
    assert count(tmp_path, predictions) == 5


def test_a_service_that_is_stopped_writes_what_waits(tmp_path: Path) -> None:
    with running({"YUJING_STORE": str(tmp_path)}, "keyword_service:Yujing", TESTS) as server:
        for _ in range(3):
            score(server, *["假货"] * 200)
    assert count(tmp_path, predictions) == 600


def test_nothing_is_stored_and_no_id_is_given_unless_told() -> None:
    with running({"YUJING_STORE": ""}, "keyword_service:Yujing", TESTS) as server:
        assert score(server, "假货") == [None]
        for answer in (
            ask(server, "POST", "/feedback", json=correction("0" * 32)),
            ask(server, "DELETE", f"/predictions/{'0' * 32}"),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "switched_off")


def test_the_serving_process_gets_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert recorder_env(None, Path("memory")) == {"YUJING_STORE": str(tmp_path / "memory")}
    assert recorder_env(None, None) == {}


def test_the_demo_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    monkeypatch.setenv("YUJING_STORE", "somewhere")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr("serving.demo.run", lambda rows, env: given.update(env))
    demo(1)
    assert StoreSettings.from_env({**os.environ, **given}) is None

"""The whole chain before the service, around a small app: how it says no, and what it tells the log."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from pathlib import Path

import pytest
from gate_app import BODY, KEYED, App, ask, bearer, code
from starlette.types import Message, Receive, Scope, Send

from data.errors import BundleError, ConfigError
from serving.gate.front import Front
from serving.gate.refusal import CODES
from serving.live import BusyError
from serving.logs import SafeFormatter
from serving.recorder_pages import STATUS


@pytest.mark.parametrize(("given", "kept"), [("r-1.a_B", True), ("a b", False), ("x" * 65, False), ('"}', False)])
def test_a_harmless_request_id_comes_back(given: str, kept: bool) -> None:
    found = ask("GET", "/livez", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (found == given) is kept


def test_a_fault_is_json_and_its_words_stay_out_of_answer_and_log() -> None:
    handler = logging.StreamHandler(written := io.StringIO())
    handler.setFormatter(SafeFormatter())
    logging.getLogger().addHandler(handler)
    answer = ask("GET", "/model")
    logging.getLogger().removeHandler(handler)
    assert code(answer) == (500, "internal_error")
    assert answer.json()["error"]["message"].endswith(f"the request id {answer.headers['x-request-id']}")
    assert "秘密" not in answer.text + written.getvalue()
    [fault] = [line for line in map(json.loads, written.getvalue().splitlines()) if line["level"] == "ERROR"]
    assert fault["fault"].startswith("ValueError in crash")
    assert fault["request_id"] == answer.headers["x-request-id"]


def test_the_log_names_endpoints_not_paths(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ask("GET", "/livez")  # a line for each probe would bury the others
        ask("GET", "/某某客户的秘密?q=秘密")
        ask("POST", "/score", json=BODY, headers=bearer("score"), **KEYED)
    lines = [record.__dict__ for record in caplog.records if record.message == "request"]
    assert [(line["endpoint"], line["status"], line["caller"]) for line in lines] == [
        ("(unknown)", 404, None),
        ("/score", 200, "score"),
    ]
    assert "秘密" not in str(lines)


@pytest.mark.parametrize(
    "path", ["/scores", "/score/", "/predictionsx", "/predictions/a%0Ab", "/predictions/7/", "/static_content%0A/x"]
)
def test_what_only_looks_like_an_endpoint_is_none(path: str) -> None:
    app = App()
    answer = ask("DELETE", path, app)
    assert code(answer) == (404, "not_found")
    assert "no such endpoint" in answer.text  # ours, before any router


def test_the_page_for_operators_explains_every_refusal() -> None:
    serving = Path(__file__).parents[1] / "serving"
    page = (serving / "OPERATE.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (serving / "gate").glob("*.py"))
    codes = {*re.findall(r'RefusedError\(\d+, "(\w+)"', source), *CODES.values()}
    codes.add("refused")  # what else the libraries refuse
    codes |= {kind.code for kind in (*STATUS, BusyError, BundleError, ConfigError)}  # type: ignore[attr-defined]
    assert len(codes) > 10
    assert sorted(code for code in codes if f"`{code}`" not in page) == []


def test_half_an_answer_is_broken_off() -> None:
    """A caller who got 200 and half a body must see the connection break, not an end."""

    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[", "more_body": True})
        raise ValueError("秘密")

    async def run() -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/livez", "headers": []}
        with pytest.raises(ValueError, match="秘密"):
            await Front(half)(scope, lambda: asyncio.sleep(0, {}), send)
        return sent

    assert [message.get("body") for message in asyncio.run(run())] == [None, b"["]


def test_errors_of_others_become_json() -> None:
    answer = ask("GET", "/score")
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"]["message"] == "method not allowed: use POST"

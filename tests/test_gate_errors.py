"""The whole chain before the service, around a small app: how it says no, and what it tells the log."""

from __future__ import annotations

import io
import json
import logging

import pytest
from gate_app import BODY, KEYED, ask, bearer, code

from serving.logs import SafeFormatter


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
    assert "秘密" not in answer.text + written.getvalue()
    [fault] = [line for line in map(json.loads, written.getvalue().splitlines()) if line["level"] == "ERROR"]
    assert fault["fault"].startswith("ValueError in crash")
    assert fault["request_id"] == answer.headers["x-request-id"]


def test_the_log_names_endpoints_not_paths(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ask("GET", "/某某客户的秘密?q=秘密")
        ask("POST", "/score", json=BODY, headers=bearer("score"), **KEYED)
    lines = [record.__dict__ for record in caplog.records if record.message == "request"]
    assert [(line["endpoint"], line["status"], line["caller"]) for line in lines] == [
        ("(unknown)", 404, None),
        ("/score", 200, "score"),
    ]
    assert "秘密" not in str(lines)


def test_errors_of_others_become_json() -> None:
    answer = ask("GET", "/score")
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"

"""The whole chain before the service, around a small app: who may call, how much, and how it says no."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from gate_app import BODY, KEYED, PATHS, SECRETS, STORED, App, ask, bearer, client, code, until_called

from serving.gate.access import FORWARDED
from serving.gate.admission import LEAST
from serving.gate.keys import SCOPES
from serving.logs import SafeFormatter


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_what_its_scope_allows(path: str, scope: str) -> None:
    answer = ask("POST", path, headers=bearer(scope), json=BODY, **KEYED)
    if scope == PATHS[path]:
        assert answer.json()["caller"] == scope
    else:
        assert code(answer) == (403, "forbidden")


@pytest.mark.parametrize("path", [*PATHS, "/taxonomy", "/nowhere", "/score\n", "/feedback/a\nb"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer yj_guess"}, {"Authorization": "Basic x"}])
def test_without_a_key_nothing_opens(path: str, headers: dict[str, str]) -> None:
    app = App()
    answer = ask("POST", path.replace("\n", "%0A"), app, headers=headers, json=BODY, **KEYED)
    assert code(answer) in {(401, "unauthorized"), (404, "not_found")}
    assert app.calls == 0
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


def test_the_other_header_will_do_and_any_key_reads() -> None:
    assert ask("GET", "/taxonomy", headers={"X-API-Key": SECRETS["admin"][0]}, **KEYED).text == "hello"


def test_a_handler_can_require_a_scope() -> None:
    assert ask("GET", "/policy", headers=bearer("feedback"), **KEYED).json() == {"caller": "feedback"}
    assert code(ask("GET", "/policy", headers=bearer("score"), **KEYED)) == (403, "forbidden")


@pytest.mark.parametrize(("path", "group"), [("/livez", "probes"), ("/metrics", "metrics"), ("/", "docs")])
def test_public_pages_are_a_setting(path: str, group: str) -> None:
    assert ask("GET", path, **KEYED).status_code == 200
    closed = tuple({"probes", "metrics", "docs"} - {group})
    assert code(ask("GET", path, public=closed, **KEYED)) == (401, "unauthorized")
    assert ask("GET", path, public=closed, headers=bearer("score"), **KEYED).status_code == 200


@pytest.mark.parametrize(
    ("far", "near", "answers"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost", False),  # httpx names the server end so; a real socket has an address
        ("203.0.113.9", "127.0.0.1", False),
        ("127.0.0.1", "203.0.113.7", False),
        ("127.0.0.1", "rebound.example", False),
    ],
)
def test_without_keys_only_this_machine_is_answered(far: str, near: str, answers: bool) -> None:
    answer = ask("POST", "/score", json=BODY, client=far, host=near)
    assert answer.status_code == (200 if answers else 403)
    assert answers or code(answer) == (403, "no_keys")
    assert ask("GET", "/livez", client=far, host=near).status_code == 200
    assert ask("POST", "/score", json=BODY, client=far, host=near, anonymous=True).status_code == 200


@pytest.mark.parametrize("header", [*FORWARDED, "HTTP/1.0"])
def test_without_keys_a_proxy_on_this_machine_opens_nothing(header: str) -> None:
    version, sent = ("1.0", {}) if header == "HTTP/1.0" else ("1.1", {header: "for=203.0.113.9"})

    def status(headers: dict[str, str], **settings: Any) -> tuple[int, str]:
        answer = ask("POST", "/score", json=BODY, headers={**sent, **headers}, version=version, **settings)
        return answer.status_code, answer.text

    found, said = status({})
    assert found == 403
    assert '"no_keys"' in said
    assert header in said
    assert "yujing keys new" in said
    assert status({}, anonymous=True)[0] == status(bearer("score"), **KEYED)[0] == 200
    assert ask("GET", "/livez", headers=sent, version=version).status_code == 200


def test_nobody_is_admin_without_a_key() -> None:
    assert code(ask("POST", "/admin/reload", anonymous=True)) == (403, "forbidden")


def test_a_body_is_refused_by_its_announced_length_alone() -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = ask("POST", "/score", content=never(), headers={"Content-Length": "9999999999999999999999"})
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("size", [2000, 2048, 2049, 10_000_000])
def test_a_body_without_length_is_counted(size: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        sent = 0
        while sent < size:
            yield b" " * min(1000, size - sent)
            sent += 1000
            assert sent <= 4000, "read on after the limit"

    answer = ask("POST", "/feedback", content=chunks(), max_body=2048, headers={"Content-Type": "application/json"})
    assert answer.status_code == (413 if size > 2048 else 500)  # blanks are no JSON for the small app


def test_a_slow_body_ends() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert code(ask("POST", "/score", content=slow(), body_seconds=0.05)) == (408, "body_timeout")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "zstd"])
def test_compressed_bodies_are_refused_unread(encoding: str) -> None:
    bomb = gzip.compress(b"[" * 10_000_000)
    assert code(ask("POST", "/score", content=bomb, headers={"Content-Encoding": encoding})) == (
        415,
        "unsupported_encoding",
    )


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_wrong_clock_of_one_post_is_no_reason_to_refuse_its_neighbours(time: str) -> None:
    posts = [{"text": "好"}, {"text": "坏", "published_at": time}]
    assert ask("POST", "/score", json={"items": posts}).status_code == 200


def test_forms_are_refused() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert code(ask("POST", "/score", content=b"a=b", headers=form)) == (415, "unsupported_media_type")


def test_a_key_has_its_own_rate() -> None:
    async def run() -> list[httpx.Response]:
        async with client(App(), rate=0.001, burst=2, **KEYED) as http:
            scores = [await http.post("/score", json=BODY, headers=bearer("score")) for _ in range(3)]
            return [*scores, await http.post("/feedback", json=BODY, headers=bearer("feedback"))]

    *allowed, refused, other = asyncio.run(run())
    assert [answer.status_code for answer in (*allowed, other)] == [200, 200, 200]
    assert code(refused) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 1000


def test_a_full_service_says_so_at_once_and_still_has_probes() -> None:
    async def run() -> tuple[list[httpx.Response], httpx.Response, httpx.Response, httpx.Response]:
        app = App()
        app.open.clear()
        async with client(app, concurrency=2) as http:
            waiting = [asyncio.create_task(http.post("/score", json=BODY)) for _ in range(2)]
            await until_called(app, 2)
            refused, probe = await http.post("/score", json=BODY), await http.get("/livez")
            app.open.set()
            done = await asyncio.gather(*waiting)
            return done, refused, probe, await http.post("/score", json=BODY)

    done, refused, probe, after = asyncio.run(run())
    assert code(refused) == (503, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert [answer.status_code for answer in (*done, probe, after)] == [200] * 4


def test_a_service_whose_answers_come_late_lets_fewer_in() -> None:
    async def run() -> tuple[list[httpx.Response], httpx.Response]:
        app = App()
        async with client(app, concurrency=32, rate=0, patience=1e-9) as http:
            for _ in range(20):
                await http.post("/score", json=BODY)
            app.calls = 0
            app.open.clear()
            waiting = [asyncio.create_task(http.post("/score", json=BODY)) for _ in range(LEAST)]
            await until_called(app, LEAST)
            refused = await http.post("/score", json=BODY)
            app.open.set()
            return await asyncio.gather(*waiting), refused

    done, refused = asyncio.run(run())
    assert code(refused) == (503, "overloaded")
    assert [answer.status_code for answer in done] == [200] * LEAST


def test_a_repeated_request_gets_the_first_answer() -> None:
    async def run() -> list[httpx.Response]:
        app, key = App(), {"Idempotency-Key": "k1"}
        async with client(app, **KEYED) as http:
            first = await http.post("/score", json=BODY, headers={**key, **bearer("score")})
            again = await http.post("/score", json=BODY, headers={**key, **bearer("score")})
            other = await http.post("/score", json={"items": [{"text": "坏"}]}, headers={**key, **bearer("score")})
            fresh = await http.post("/score", json=BODY, headers={"Idempotency-Key": "k2", **bearer("score")})
            return [first, again, other, fresh]

    first, again, other, fresh = asyncio.run(run())
    assert first.content == again.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert code(other) == (422, "idempotency_key_reused")
    assert fresh.json()["call"] == 2


def test_a_repeat_while_the_first_is_under_way_is_409() -> None:
    async def run() -> tuple[httpx.Response, httpx.Response, int]:
        app, key = App(), {"Idempotency-Key": "k1"}
        app.open.clear()
        async with client(app) as http:
            first = asyncio.create_task(http.post("/score", json=BODY, headers=key))
            await until_called(app, 1)
            second = await http.post("/score", json=BODY, headers=key)
            app.open.set()
            return await first, second, app.calls

    first, second, calls = asyncio.run(run())
    assert (first.status_code, calls) == (200, 1)
    assert code(second) == (409, "idempotency_key_in_use")


def test_a_refused_request_may_be_repaired_under_the_same_key() -> None:
    async def run() -> list[httpx.Response]:
        async with client(App()) as http:
            bodies = ({"items": []}, BODY)
            return [await http.post("/score", json=body, headers={"Idempotency-Key": "k"}) for body in bodies]

    assert [answer.status_code for answer in asyncio.run(run())] == [400, 200]


def test_a_prediction_that_is_not_there_any_more_is_not_answered_again() -> None:
    """The answer of the deletion may have been lost, so its repeat finds nothing."""

    async def run() -> list[httpx.Response]:
        body, key = {"items": [{"text": "好", "id": "7" * 32}]}, {"Idempotency-Key": "k"}
        async with client(App()) as http:
            first = await http.post("/score", json=body, headers=key)
            gone = await http.delete(f"/predictions/{'7' * 32}")
            return [first, gone, await http.post("/score", json=body, headers=key)]

    first, gone, again = asyncio.run(run())
    assert gone.status_code == 404
    assert (first.json()["call"], again.json()["call"]) == (1, 2)


def test_a_deleted_prediction_is_not_answered_again() -> None:
    async def run() -> list[dict[str, Any]]:
        body, key = {"items": [{"text": "好", "id": STORED[0]}]}, {"Idempotency-Key": "k"}
        answers = []
        async with client(App()) as http:
            for deleted in (None, "7" * 32, STORED[1], STORED[0]):  # not stored, in no answer, in this one
                if deleted:
                    await http.delete(f"/predictions/{deleted}")
                answers.append(await http.post("/score", json=body, headers=key))
        return [{"call": answer.json()["call"], **answer.headers} for answer in answers]

    first, *same, fresh = asyncio.run(run())
    assert [answer.get("idempotency-replayed") for answer in same] == ["true", "true"]
    assert (first["call"], fresh["call"], fresh.get("idempotency-replayed")) == (1, 2, None)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "é"])
def test_a_strange_idempotency_key_is_400(key: str) -> None:
    answer = ask("POST", "/score", json=BODY, headers={"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert code(answer) == (400, "invalid_idempotency_key")


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

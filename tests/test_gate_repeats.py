"""The whole chain before the service, around a small app: a request that is sent again gets the first answer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from gate_app import BODY, KEYED, STORED, App, ask, bearer, client, code, until_called
from starlette.types import Message, Receive, Scope, Send

from serving.gate.idempotency import Answers, Idempotent
from serving.gate.keys import new_key
from serving.gate.places import BODY as PLACED_BODY


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


def test_callers_and_endpoints_do_not_share_their_keys() -> None:
    (one, desk), (other, press) = (new_key(name, ["score", "feedback"]) for name in ("desk", "press"))

    async def run() -> list[httpx.Response]:
        async with client(App(), keys=f"{desk.line};{press.line}") as http:
            wanted = [(one, "/score"), (other, "/score"), (one, "/feedback"), (one, "/score")]
            headers = [{"Idempotency-Key": "k", "Authorization": f"Bearer {secret}"} for secret, _ in wanted]
            return [
                await http.post(path, json=BODY, headers=sent) for (_, path), sent in zip(wanted, headers, strict=True)
            ]

    answers = asyncio.run(run())
    assert [answer.json()["call"] for answer in answers] == [1, 2, 3, 1]
    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False, False, False, True]


KEPT = {
    "method": "POST",
    "path": "/score",
    "headers": [(b"idempotency-key", b"k")],
    "user": SimpleNamespace(username="desk"),
    PLACED_BODY: b"",
}


def test_an_answer_that_broke_off_is_not_kept() -> None:
    calls = 0

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[", "more_body": calls == 1})
        if calls == 1:
            raise ConnectionError

    async def run() -> None:
        app = Idempotent(breaks, Answers())
        with pytest.raises(ConnectionError):
            await app(KEPT, no_more, ignored)
        await app(KEPT, no_more, ignored)
        await app(KEPT, no_more, ignored)

    asyncio.run(run())
    assert calls == 2


def test_a_long_answer_that_is_still_being_read_is_repeated_and_forgotten() -> None:
    """It waits for its reader, who may know the first of its predictions already and have them deleted."""
    calls = 0

    async def scores(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += scope["method"] == "POST"
        await send(
            {"type": "http.response.start", "status": 204 if scope["method"] == "DELETE" else 200, "headers": []}
        )
        await send({"type": "http.response.body", "body": STORED[0].encode()})

    async def run() -> list[int]:
        app, read, found = Idempotent(scores, Answers()), asyncio.Event(), []

        async def slowly(message: Message) -> None:
            if message["type"] == "http.response.body":
                await read.wait()

        reader = asyncio.create_task(app(KEPT, no_more, slowly))
        await asyncio.sleep(0)
        for scope in (KEPT, {"method": "DELETE", "path": f"/predictions/{STORED[0]}"}):
            await app(scope, no_more, ignored)
            found.append(calls)
        read.set()
        await reader
        await app(KEPT, no_more, ignored)
        return [*found, calls]

    assert asyncio.run(run()) == [1, 1, 2]


async def no_more() -> Message:
    return {"type": "http.disconnect"}


async def ignored(message: Message) -> None:
    """An answer that nobody looks at."""


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
            # no whole id; not stored; in no answer; in this one
            for deleted in (None, "", STORED[0][:1], STORED[0][:31], "7" * 32, STORED[1], STORED[0]):
                if deleted is not None:
                    await http.delete(f"/predictions/{deleted}")
                answers.append(await http.post("/score", json=body, headers=key))
        return [{"call": answer.json()["call"], **answer.headers} for answer in answers]

    first, *same, fresh = asyncio.run(run())
    assert [answer.get("idempotency-replayed") for answer in same] == ["true"] * 5
    assert (first["call"], fresh["call"], fresh.get("idempotency-replayed")) == (1, 2, None)


@pytest.mark.parametrize("id", ["e", "%65", "call", "0" * 31, "0" * 33, "好"])
def test_what_is_no_prediction_makes_no_answer_forgotten(id: str) -> None:
    """Every answer holds an "e": who may give feedback could have had all callers' repeats scored a second time."""

    async def run() -> list[httpx.Response]:
        body, key = {"items": [{"text": "好", "id": STORED[0]}]}, {"Idempotency-Key": "k"}
        async with client(App()) as http:
            await http.post("/score", json=body, headers=key)
            return [await http.delete(f"/predictions/{id}"), await http.post("/score", json=body, headers=key)]

    gone, again = asyncio.run(run())
    assert gone.status_code == 404
    assert (again.json()["call"], again.headers["idempotency-replayed"]) == (1, "true")


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "é"])
def test_a_strange_idempotency_key_is_400(key: str) -> None:
    answer = ask("POST", "/score", json=BODY, headers={"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert code(answer) == (400, "invalid_idempotency_key")

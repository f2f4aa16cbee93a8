"""The whole chain before the service, around a small app: how many may call at once, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from gate_app import BODY, KEYED, App, bearer, client, code, until_called

from serving.gate.admission import LEAST, Admission

LONG = {"items": [{"text": "好" * 1_000}]}


def test_a_key_has_its_own_rate() -> None:
    async def run() -> list[httpx.Response]:
        async with client(App(), rate=0.001, burst=2, **KEYED) as http:
            scores = [await http.post("/score", json=BODY, headers=bearer("score")) for _ in range(3)]
            return [*scores, await http.post("/feedback", json=BODY, headers=bearer("feedback"))]

    *allowed, refused, other = asyncio.run(run())
    assert [answer.status_code for answer in (*allowed, other)] == [200, 200, 200]
    assert code(refused) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 1000


def test_a_wait_of_less_than_a_second_is_told_as_one() -> None:
    async def run() -> httpx.Response:
        async with client(App(), rate=2, burst=1) as http:
            return [await http.post("/score", json=BODY) for _ in range(2)][1]

    refused = asyncio.run(run())
    assert (code(refused), refused.headers["retry-after"]) == ((429, "rate_limited"), "1")


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


def test_a_full_service_says_so_before_it_reads_the_body() -> None:
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(b"{")
        yield read[-1]

    async def run() -> httpx.Response:
        app = App()
        app.open.clear()
        async with client(app, concurrency=1) as http:
            waiting = asyncio.create_task(http.post("/score", json=BODY))
            await until_called(app, 1)
            refused = await http.post("/score", content=body())
            app.open.set()
            await waiting
            return refused

    assert code(asyncio.run(run())) == (503, "overloaded")
    assert read == []


def test_a_service_with_more_work_than_patience_lets_no_more_in() -> None:
    async def run() -> tuple[list[httpx.Response], httpx.Response, httpx.Response]:
        app = App()
        app.open.clear()
        async with client(app, rate=0, patience=0.01) as http:
            waiting = [asyncio.create_task(http.post("/score", json=LONG)) for _ in range(LEAST)]
            await until_called(app, LEAST)
            refused = await http.post("/score", json=BODY)
            app.open.set()
            return await asyncio.gather(*waiting), refused, await http.post("/score", json=BODY)

    done, refused, after = asyncio.run(run())
    assert code(refused) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert "would wait for" in refused.json()["error"]["message"]
    assert [answer.status_code for answer in (*done, after)] == [200] * (LEAST + 1)


def test_only_what_is_scored_tells_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[float] = []
    monkeypatch.setattr(Admission, "learn", lambda _, size, busy: learnt.append(size))
    key = {"Idempotency-Key": "k"}

    async def run() -> list[int]:
        async with client(App()) as http:
            asked = [
                await http.post("/score", json=BODY, headers=key),
                await http.post("/score", json=BODY, headers=key),  # answered from memory
                await http.post("/score", json={}),
                await http.get("/score"),
                await http.put("/score", json=LONG),
                await http.post("/score", json=BODY),
            ]
            return [answer.status_code for answer in asked]

    assert asyncio.run(run()) == [200, 200, 400, 405, 405, 200]
    assert learnt == [len(httpx.Request("POST", "http://x", json=BODY).content)] * 2

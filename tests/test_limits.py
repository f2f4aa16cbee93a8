"""Scoring has places of its own: neither slow senders nor a store that waits take one from who scores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from threading import Event

import httpx
import pytest
from gate_app import BODY, App, client, code, until_called
from prometheus_client import REGISTRY

from serving.gate import guard
from serving.gate.guard import LARGE
from serving.gate.places import BESIDE
from serving.gate.refusal import RefusedError
from serving.gate.slots import Slots
from serving.wire import read_request


def depth() -> float:
    return REGISTRY.get_sample_value("yujing_queue_depth") or 0


def test_feedback_that_waits_for_its_database_keeps_nobody_from_scoring() -> None:
    async def run() -> tuple[list[httpx.Response], list[httpx.Response], float]:
        app = App(held=["/feedback"])
        app.open.clear()
        async with client(app, concurrency=2) as http:
            waiting = [asyncio.create_task(http.post("/feedback", json=BODY)) for _ in range(BESIDE)]
            await until_called(app, BESIDE)
            waits = depth()
            answers = [await http.post(path, json=BODY) for path in ("/score", "/feedback")]
            app.open.set()
            return await asyncio.gather(*waiting), answers, waits

    kept, [scored, refused], waits = asyncio.run(run())
    assert [answer.status_code for answer in (*kept, scored)] == [200] * (BESIDE + 1)
    assert code(refused) == (503, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert waits == 0  # the queue is that of scoring


def test_a_slow_sender_takes_no_place_among_those_who_are_scored() -> None:
    async def run() -> tuple[httpx.Response, float, int]:
        app, sent = App(), asyncio.Event()
        app.open.clear()

        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await sent.wait()

        json = {"Content-Type": "application/json"}
        async with client(app, concurrency=1) as http:
            senders = [asyncio.create_task(http.post("/score", content=slow(), headers=json)) for _ in range(3)]
            quick = asyncio.create_task(http.post("/score", json=BODY))
            await until_called(app, 1)
            waits = depth()
            app.open.set()
            answer = await quick
            sent.set()
            return answer, waits, len([one for one in await asyncio.gather(*senders) if one.status_code == 400])

    answer, waits, heard = asyncio.run(run())
    assert (answer.status_code, waits, heard) == (200, 1, 3)


@pytest.mark.parametrize("invalid", [1, 3])
def test_a_large_body_has_no_place_before_it_is_known_to_be_valid(
    invalid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, read = Event(), Event()
    bad = json.dumps({"items": [{"text": ""}]}).encode().ljust(LARGE)

    def slowly(body: bytes) -> object:
        if len(body) >= LARGE:
            begun.set()
            assert read.wait(10)
        return read_request(body)

    monkeypatch.setattr(guard, "read_request", slowly)

    async def run() -> tuple[list[httpx.Response], httpx.Response, httpx.Response, float]:
        async with client(App(), concurrency=invalid, patience=1e-6) as http:
            json = {"Content-Type": "application/json"}
            senders = [asyncio.create_task(http.post("/score", content=bad, headers=json)) for _ in range(invalid)]
            await asyncio.to_thread(begun.wait)
            good, waits = await http.post("/score", json=BODY), depth()
            one_more = await http.post("/score", content=bad, headers=json)
            read.set()
            return await asyncio.gather(*senders), good, one_more, waits

    refused, good, one_more, waits = asyncio.run(run())
    assert [code(answer) for answer in refused] == [(400, "invalid_input")] * invalid
    assert (good.status_code, waits) == (200, 0)
    assert code(one_more) == (503, "overloaded")  # what waits is held in memory


def test_a_place_comes_back_also_after_a_failure() -> None:
    slots = Slots("requests are under way", 1)
    with slots.one(), pytest.raises(RefusedError, match="1 requests are under way"):
        slots.check()
    with pytest.raises(ZeroDivisionError), slots.one():
        raise ZeroDivisionError
    slots.check()

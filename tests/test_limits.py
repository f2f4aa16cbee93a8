"""Scoring has places of its own: neither slow senders nor a store that waits take one from who scores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from gate_app import BODY, App, client, code, until_called
from prometheus_client import REGISTRY

from serving.gate.limits import BESIDE
from serving.gate.refusal import RefusedError
from serving.gate.slots import Slots


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


def test_a_place_comes_back_also_after_a_failure() -> None:
    slots = Slots("requests are under way", 1)
    with slots.one(), pytest.raises(RefusedError, match="1 requests are under way"):
        slots.check()
    with pytest.raises(ZeroDivisionError), slots.one():
        raise ZeroDivisionError
    slots.check()

"""Scoring has places of its own: neither slow senders nor a store that waits take one from who scores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from threading import Event

import httpx
import pytest
from gate_app import BODY, App, built, client, code, until_called
from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Message

from serving.gate import guard, limits
from serving.gate.guard import LARGE
from serving.gate.places import BESIDE
from serving.gate.refusal import RefusedError
from serving.gate.slots import Slots
from serving.settings import Settings
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


OPENED, REST = b'{"items": [', b'{"text": "\xe5\xa5\xbd"}]}'
ENDS: dict[str, tuple[Message | None, int]] = {  # the last that comes of a body, and what its sender is told
    "all of it": ({"type": "http.request", "body": REST}, 200),
    "disconnect": ({"type": "http.disconnect"}, 499),
    "too much": ({"type": "http.request", "body": b" " * 2048, "more_body": True}, 413),
    "nothing": (None, 408),
}


class Sending:
    """A request whose body has begun; what is put into `rest` comes next."""

    def __init__(self, chain: ASGIApp, path: str) -> None:
        self.rest, self.told = asyncio.Queue[Message](), list[Message]()
        self.rest.put_nowait({"type": "http.request", "body": OPENED, "more_body": True})
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        self.task = asyncio.create_task(chain(scope, self.rest.get, self.tell))

    async def tell(self, message: Message) -> None:
        self.told.append(message)

    async def begun(self) -> None:
        """Until its beginning has been read, or it is refused."""
        while not (self.rest.empty() or self.task.done()):
            await asyncio.sleep(0)

    async def ended(self, last: Message | None) -> tuple[int, dict[bytes, bytes]]:
        """Status and headers of the answer; 499 is sent to nobody."""
        if last is not None:
            self.rest.put_nowait(last)
        await self.task
        return self.told[0]["status"], dict(self.told[0]["headers"])


@pytest.mark.parametrize("path", ["/score", "/feedback"])
@pytest.mark.parametrize("end", ENDS)
def test_so_many_bodies_are_in_memory_and_the_next_is_refused_until_one_has_ended(
    end: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARRIVING", 3)
    last, status = ENDS[end]

    async def run() -> tuple[tuple[int, dict[bytes, bytes]], list[int], list[int]]:
        seconds = 30 if last else 1
        chain = built(App().app, Settings(anonymous=True, concurrency=2, max_body=1024, body_seconds=seconds))
        senders = [Sending(chain, path) for _ in range(3)]
        for sender in senders:
            await sender.begun()
        refused = await Sending(chain, path).ended(ENDS["all of it"][0])
        ended = [(await sender.ended(last))[0] for sender in senders]
        later = [Sending(chain, path) for _ in range(3)]  # all places are free again
        for sender in later:
            await sender.begun()
        return refused, ended, [(await sender.ended(ENDS["all of it"][0]))[0] for sender in later]

    (code, headers), ended, later = asyncio.run(run())
    assert (code, headers.get(b"retry-after")) == (503, b"1")
    assert (ended, later) == ([status] * 3, [200] * 3)


def test_a_place_comes_back_also_after_a_failure() -> None:
    slots = Slots("requests are under way", 1)
    with slots.one(), pytest.raises(RefusedError, match="1 requests are under way"):
        slots.check()
    with pytest.raises(ZeroDivisionError), slots.one():
        raise ZeroDivisionError
    slots.check()

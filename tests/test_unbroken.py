"""After BentoML's timeout: counted as 504, its work ends and is remembered, and its place is taken until then."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import httpx
import pytest
from gate_app import BODY, App, client, code
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from serving.gate.unbroken import Unbroken

KEY = {"Idempotency-Key": "k1"}


def counted(status: str) -> float:
    return REGISTRY.get_sample_value("yujing_requests_total", {"endpoint": "/score", "status": status}) or 0


def test_a_repeat_after_the_timeout_waits_for_the_first_and_gets_its_answer() -> None:
    async def run() -> tuple[App, list[httpx.Response]]:
        app = App()
        app.open.clear()
        async with client(app, timeout=0.2, concurrency=1) as http:
            late = await http.post("/score", json=BODY, headers=KEY)
            full = await http.post("/score", json=BODY)
            app.open.set()
            while (again := await http.post("/score", json=BODY, headers=KEY)).status_code == 503:
                await asyncio.sleep(0)
            return app, [late, full, again]

    before = counted("504"), counted("0")
    app, [late, full, again] = asyncio.run(run())
    assert (late.status_code, "x-request-id" in late.headers) == (504, False)
    assert (counted("504") - before[0], counted("0") - before[1]) == (1, 0)
    assert code(full) == (503, "overloaded")  # the first still has its place
    assert (again.status_code, again.headers["idempotency-replayed"], app.calls) == (200, "true", 1)


def test_a_repeat_while_the_first_goes_on_is_409() -> None:
    async def run() -> tuple[App, httpx.Response]:
        app = App()
        app.open.clear()
        async with client(app, timeout=0.2) as http:
            await http.post("/score", json=BODY, headers=KEY)
            again = await http.post("/score", json=BODY, headers=KEY)
            app.open.set()
            return app, again

    app, again = asyncio.run(run())
    assert (code(again), app.calls) == ((409, "idempotency_key_in_use"), 1)


def test_what_fails_after_the_timeout_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(App):
        async def echo(self, request: Request) -> JSONResponse:
            await self.open.wait()
            raise ValueError("某某客户的秘密")

    async def run() -> None:
        app = Failing()
        app.open.clear()
        async with client(app, timeout=0.2) as http:
            await http.post("/score", json=BODY)
            app.open.set()
            for _ in range(20):
                await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert [record.message for record in caplog.records] == ["request failed after its timeout"]


def test_an_answer_that_comes_with_the_timeout_is_remembered() -> None:
    """BentoML's answer may go out one turn of the loop before the cancellation arrives; uvicorn then refuses ours."""

    async def sent_already(_: Message) -> None:
        raise RuntimeError("response already completed")

    async def run() -> list[Message]:
        done: list[Message] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            for message in ({"type": "http.response.start", "status": 200}, {"type": "http.response.body"}):
                await send(message)
                done.append(message)

        scope = {"yujing.endpoint": SimpleNamespace(group=None)}
        await Unbroken(app)(scope, lambda: asyncio.sleep(0, {}), sent_already)
        return done

    assert [message["type"] for message in asyncio.run(run())] == ["http.response.start", "http.response.body"]

"""What the gate has read is scored as it is, and nothing below reads it again."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from gate_app import App, built
from starlette.responses import Response
from starlette.types import ASGIApp

from data.records import Item
from serving.direct import Direct
from serving.settings import Settings
from serving.wire import read_request


class Scored:
    """Remembers what it was given to score."""

    def __init__(self) -> None:
        self.items: list[list[Item]] = []

    async def respond(self, items: list[Item]) -> Response:
        self.items.append(items)
        return Response(b"[]", media_type="application/json")


def ask(app: ASGIApp, method: str, path: str, body: bytes | None = None) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(built(app, Settings()), client=("127.0.0.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.request(method, path, content=body)

    return asyncio.run(run())


def test_what_was_read_is_scored_and_the_app_is_not_asked() -> None:
    app, scored = App(), Scored()
    body = '{"items": [{"id": "7", "text": "好"}, {"text": "坏", "explain": true}]}'.encode()
    answer = ask(Direct(app.app, scored.respond), "POST", "/score", body)
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert scored.items == [read_request(body)]
    assert app.calls == 0


def test_a_large_body_is_read_as_well() -> None:
    scored = Scored()
    body = ('{"items": [{"text": "' + "好" * 5_000 + '"}' + ', {"text": "坏"}' * 200 + "]}").encode() + b" " * 65_536
    ask(Direct(App().app, scored.respond), "POST", "/score", body)
    assert scored.items == [read_request(body)]


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/feedback", 200), ("GET", "/score", 405)])
def test_all_else_is_the_apps(method: str, path: str, status: int) -> None:
    scored = Scored()
    assert ask(Direct(App().app, scored.respond), method, path).status_code == status
    assert scored.items == []


def test_what_is_refused_is_never_scored() -> None:
    scored = Scored()
    assert ask(Direct(App().app, scored.respond), "POST", "/score", b'{"items": []}').status_code == 400
    assert scored.items == []

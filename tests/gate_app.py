"""The whole chain before the service around a small app, and how to ask it: for the tests of what stands before."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import httpx
from bentoml._internal.server.http.traffic import TimeoutMiddleware
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.gate.chain import build
from serving.gate.key_ring import KeyRing
from serving.gate.keys import SCOPES, new_key
from serving.gate.refusal import say_http
from serving.settings import Settings

SECRETS = {scope: new_key(scope, [scope]) for scope in SCOPES}
KEYED = {"keys": "\n".join(key.line for _, key in SECRETS.values())}
BODY = {"items": [{"text": "好"}]}
STORED = ("0" * 32, "1" * 32)  # predictions that can be deleted
PATHS = {"/score": "score", "/feedback": "feedback", "/predictions/7": "feedback", "/admin/reload": "admin"}


class App:
    """Answers with what it was asked, counts, and waits when told to."""

    def __init__(self, held: Collection[str] = tuple(PATHS)) -> None:
        self.calls = 0
        self.held = held  # paths that wait while `open` is not set
        self.open = asyncio.Event()
        self.open.set()
        routes = [Route(path, self.echo, methods=["POST"]) for path in PATHS]
        routes += [Route("/predictions/{id}", self.forget, methods=["DELETE"])]
        routes += [Route(path, self.hello) for path in ("/", "/livez", "/metrics", "/taxonomy")]
        routes += [Route("/model", self.crash), Route("/policy", self.only_feedback)]
        self.app = Starlette(routes=routes, exception_handlers={HTTPException: say_http})

    async def echo(self, request: Request) -> JSONResponse:
        self.calls += 1
        if request.url.path in self.held:
            await self.open.wait()
        body = await request.json() if await request.body() else None
        return JSONResponse({"caller": request.user.username, "call": self.calls, "body": body})

    async def forget(self, request: Request) -> Response:
        return Response(status_code=204 if request.path_params["id"] in STORED else 404)

    async def hello(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    async def crash(self, request: Request) -> PlainTextResponse:
        raise ValueError("某某客户的秘密")

    @requires("feedback")
    async def only_feedback(self, request: Request) -> JSONResponse:
        return JSONResponse({"caller": request.user.username})


def built(app: ASGIApp, settings: Settings) -> ASGIApp:
    return build(app, settings, KeyRing.of(settings))


async def until_called(app: App, calls: int) -> None:
    while app.calls < calls:
        await asyncio.sleep(0)


def client(
    app: App,
    client: str = "127.0.0.1",
    host: str = "127.0.0.1",
    version: str = "1.1",
    timeout: float | None = None,
    **settings: Any,
) -> httpx.AsyncClient:
    """An HTTP client of the chain; `timeout`: that of BentoML, which stands outside of it, in seconds."""
    chain = built(app.app, Settings(**settings))
    whole = TimeoutMiddleware(chain, timeout) if timeout else chain

    async def spoken(scope: Scope, receive: Receive, send: Send) -> None:
        await whole({**scope, "http_version": version}, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(spoken, client=(client, 5)), base_url=f"http://{host}")


def ask(method: str, path: str, app: App | None = None, **more: Any) -> httpx.Response:
    """One request; what httpx knows goes to it, the rest are settings."""
    known = {name: more.pop(name) for name in ("json", "content", "headers") if name in more}

    async def run() -> httpx.Response:
        async with client(app or App(), **more) as http:
            return await http.request(method, path, **known)

    return asyncio.run(run())


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    return answer.status_code, answer.json()["error"]["code"]


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[scope][0]}"}

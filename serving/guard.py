"""The gate before `POST /score`: it refuses what is invalid, in our words, before BentoML sees it.

BentoML 1.4 logs pydantic's error at ERROR when a body does not validate, and that message quotes the input:
posts would stand in the logs. It also fills a missing `items` with the documentation's sample. So the body is
validated here; what passes is parsed once more by BentoML (PARSE_MS).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from data.errors import InputError
from serving.wire import read_request

MAX_BODY = 16 * 1024 * 1024  # bytes: 256 posts of 5,000 characters, each escaped as \uXXXX, are 8 MB

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class RefusedError(Exception):
    """A request that gets `status` and a JSON error instead of an answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise RefusedError(413, "too_large", f"the body must be at most {MAX_BODY} bytes: send fewer items")
        if not message.get("more_body", False):
            return bytes(body)


def _check_type(scope: Scope) -> None:
    media_type = Headers(scope=scope).get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = "Content-Type must be application/json (curl: -H 'Content-Type: application/json')"
        raise RefusedError(415, "unsupported_media_type", message)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


class Guard:
    """ASGI middleware: validates the body of POST `path` and answers 400, 413 or 415 itself; logs nothing."""

    def __init__(self, app: App, path: str = "/score") -> None:
        self.app = app
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", self.path):
            return await self.app(scope, receive, send)
        try:
            _check_type(scope)
            body = await _read_body(receive)
            read_request(body)
        except InputError as error:
            return await RefusedError(400, error.code, str(error)).response(scope, receive, send)
        except RefusedError as refused:
            return await refused.response(scope, receive, send)
        return await self.app(scope, _replay(body, receive), send)

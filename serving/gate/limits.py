"""How much one caller, and all together, may ask: rate, bodies on their way, size of a body, time to send it."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gate.bucket import Buckets
from serving.gate.endpoints import Endpoint
from serving.gate.places import BODY, Places
from serving.gate.refusal import GONE, RefusedError
from serving.gate.slots import Slots
from serving.settings import Settings

ARRIVING = 64  # bodies that may be on their way at once, of YUJING_MAX_BODY bytes each


@dataclass(frozen=True, slots=True)
class Lane:
    """Places for bodies on their way, and for requests that have theirs: a slow sender takes none of the latter."""

    arriving: Slots
    working: Places


class Limits:
    """ASGI middleware: answers 408, 413, 415, 429 or 503; what passes has its whole body in scope["yujing.body"].

    A body whose sender went away goes no further: half of one may be valid, as an empty one is to the reload.
    Content-Encoding is refused, so no small body can become a large one.
    """

    def __init__(self, app: ASGIApp, settings: Settings, scoring: Places, beside: Places) -> None:
        self.app = app
        self.settings = settings
        self.buckets = Buckets(settings.rate, settings.burst)
        self.scoring = _lane("requests", max(ARRIVING, settings.concurrency), scoring)
        self.beside = _lane("requests beside /score", ARRIVING, beside)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint: Endpoint = scope["yujing.endpoint"]
        if endpoint.group is not None:  # probes must answer when the service is full
            return await self.app(scope, receive, send)
        self._check_rate(scope["user"].username)
        lane = self.scoring if endpoint.scope == "score" else self.beside
        lane.working.check()  # a full service says so before it reads
        with lane.arriving.one():
            body = scope[BODY] = await self._take(Headers(scope=scope), receive)
        return await self.app(scope, _replay(body, receive), send)

    async def _take(self, headers: Headers, receive: Receive) -> bytes:
        _check_headers(headers, self.settings.max_body)
        body = await self._read(receive)
        if body:
            _check_type(headers)
        return body

    def _check_rate(self, caller: str) -> None:
        if seconds := self.buckets.wait(caller):
            message = f"{caller} may ask {self.settings.rate:g} times a second: wait {seconds:.2f} s"
            raise RefusedError(429, "rate_limited", message, {"Retry-After": str(math.ceil(seconds))})

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RefusedError(GONE, "client_gone", "the connection ended before the body did")
                    body += message.get("body", b"")
                    if len(body) > self.settings.max_body:
                        raise _too_large(self.settings.max_body)
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            reason = f"the body must arrive within {self.settings.body_seconds:g} s"
            raise RefusedError(408, "body_timeout", reason, {"Connection": "close"}) from None


def _lane(what: str, bodies: int, working: Places) -> Lane:
    return Lane(Slots(f"bodies of {what} are on their way", bodies), working)


def _too_large(limit: int) -> RefusedError:
    """Without `Connection: close`: the server reads what still comes and drops it, so the client sees this answer."""
    return RefusedError(413, "too_large", f"the body must be at most {limit} bytes: send fewer items")


def _check_headers(headers: Headers, max_body: int) -> None:
    """Refuse by the headers alone, before any of the body is read."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        message = "Content-Encoding is not supported: send the JSON as it is"
        raise RefusedError(415, "unsupported_encoding", message, {"Accept-Encoding": "identity"})
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > max_body:
        raise _too_large(max_body)


def _check_type(headers: Headers) -> None:
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = "Content-Type must be application/json (curl: -H 'Content-Type: application/json')"
        raise RefusedError(415, "unsupported_media_type", message)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed

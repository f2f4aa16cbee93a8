"""The gate before `POST /score`: it refuses what is invalid, in our words, before BentoML sees it.

BentoML 1.4 logs pydantic's error at ERROR when a body does not validate, and that message quotes the input:
posts would stand in the logs. It also fills a missing `items` with the documentation's sample. So the body is read and
validated here, and what passes is answered from what was read: `serving.direct`.

A large body is read in a thread, one at a time: 2 MB of `[]` take 0.2 s, and the probes wait on the event loop. It has
no place among those that are scored yet: three senders of them had all others refused.
"""

from __future__ import annotations

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Receive, Scope, Send

from data.errors import InputError
from data.records import Item
from serving.gate.places import BODY, ITEMS
from serving.gate.refusal import RefusedError
from serving.gate.slots import Slots
from serving.wire import read_request

LARGE = 64 * 1024  # bytes; what is smaller is read within some milliseconds, however bad it is


class Guard:
    """ASGI middleware: reads the body of POST `path` into scope["yujing.items"] or answers 400 itself; logs nothing."""

    def __init__(self, app: ASGIApp, most: int, path: str = "/score") -> None:
        """`most`: large bodies that may wait for the thread."""
        self.app = app
        self.path = path
        self._large, self._waiting = CapacityLimiter(1), Slots("large bodies are being validated", most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (scope["method"], scope["path"]) == ("POST", self.path):
            try:
                scope[ITEMS] = await self._read(scope[BODY])
            except InputError as error:
                raise RefusedError(400, error.code, str(error)) from None
        await self.app(scope, receive, send)

    async def _read(self, body: bytes) -> list[Item]:
        if len(body) < LARGE:
            return read_request(body)
        with self._waiting.one():
            return await run_sync(read_request, body, limiter=self._large)

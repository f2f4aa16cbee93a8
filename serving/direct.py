"""`POST /score` without BentoML's own layers: what the gate has read is scored and sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from data.records import Item
from serving.gate.places import ITEMS


class Direct:
    """ASGI middleware inside the gate: answers the items in scope["yujing.items"]; all else is BentoML's.

    BentoML would read and validate the body a second time, on the event loop (0.2 s for 2 MB); with its router, context
    and headers that took half a millisecond of a request with one post.
    """

    def __init__(self, app: ASGIApp, respond: Callable[[list[Item]], Awaitable[Response]]) -> None:
        self.app, self.respond = app, respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        items = scope.get(ITEMS)
        answer = self.app if items is None else await self.respond(items)
        await answer(scope, receive, send)

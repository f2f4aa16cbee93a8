"""What was begun is ended: BentoML's timeout answers 504 and cancels its task, but no thread that works for it.

Without this a place would be free, and an Idempotency-Key forgotten, while the engine still scores for it: a repeat
would be scored and stored a second time.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gate.endpoints import Endpoint
from serving.gate.refusal import RefusedError

logger = logging.getLogger("bentoml.yujing")


class Unbroken:
    """ASGI middleware: runs what lies below as a task of its own, whose answer after a timeout is sent to nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop alone would let go of them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint: Endpoint = scope["yujing.endpoint"]
        if endpoint.group is not None:
            return await self.app(scope, receive, send)
        left = False

        async def heard(message: Message) -> None:
            nonlocal left
            if left:
                return
            try:
                await send(message)
            except RuntimeError:  # uvicorn's, when the timeout has answered within this turn of the loop
                left = True

        work = asyncio.create_task(self._run(scope, receive, heard))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            left = True
            work.add_done_callback(_tell)
            raise

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def _tell(work: asyncio.Task[None]) -> None:
    """Log what went wrong after the timeout, as nobody waits for it any more."""
    fault = None if work.cancelled() else work.exception()
    if fault is not None and not isinstance(fault, RefusedError):
        logger.error("request failed after its timeout", exc_info=fault)

"""Places for requests that have their bodies, each for as long as it is worked on.

Scoring has places of its own: while the database is down each POST /feedback waits for seconds, and who scores must
not pay for it. A body that cannot be scored never has one: 2 MB of `{}` would count as hours of work while it is read.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from serving import metrics
from serving.gate.admission import Admission
from serving.gate.endpoints import Endpoint
from serving.gate.slots import Slots
from serving.remembered import READING, Reading

BODY = "yujing.body"  # where the bytes of a request's body lie in its scope
ITEMS = "yujing.items"  # and the items that were read of them, of a POST /score
BESIDE = 16  # requests that do not score, at once: fewer than the 40 threads that they may wait in


class Places(Protocol):
    """So many, or so much work, at a time."""

    def check(self) -> None: ...

    def one(self, size: int) -> AbstractContextManager[object]: ...


class Working:
    """ASGI middleware: what passes has its place; 503 where there is none."""

    def __init__(self, app: ASGIApp, scoring: Admission, beside: Slots) -> None:
        self.app, self.scoring, self.beside = app, scoring, beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint: Endpoint = scope["yujing.endpoint"]
        if endpoint.group is not None:  # probes must answer when the service is full
            return await self.app(scope, receive, send)
        if endpoint.scope == "score":
            return await self._score(scope, receive, send)
        with self.beside.one():
            return await self.app(scope, receive, send)

    async def _score(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = len(scope[BODY])
        try:
            with self.scoring.one(size) as place:
                metrics.WAIT.set(self.scoring.wait)
                READING.set(reading := Reading())
                with metrics.QUEUE.track_inprogress():
                    await self.app(scope, receive, send)
                if scope["method"] == "POST":  # another one is no work
                    place.scored(reading.share)
        finally:
            metrics.WAIT.set(self.scoring.wait)

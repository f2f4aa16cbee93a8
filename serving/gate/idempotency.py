"""`Idempotency-Key`: who repeats a request after a lost answer gets the same answer, and nothing happens twice.

After draft-ietf-httpapi-idempotency-key-header: 409 while the first is under way (also where the timeout
has answered it 504 meanwhile: `serving.gate.unbroken`), 422 for another body. The memory is this worker's own and
bounded; a restart forgets. Only answers of 2xx are kept, so a refused one can be repaired; none with an item that
failed by a fault of ours, so that a repeat may get its score; and none of a prediction that was deleted.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import metrics
from serving.gate.places import BODY
from serving.gate.refusal import RefusedError
from serving.store.records import PREDICTION_ID

PATHS = {"/score", "/feedback"}
PREDICTIONS = "/predictions/"
FAULTS = ("internal_error", "scoring_failed")  # errors of an item that may be gone when it is sent again
MAX_ENTRIES, MAX_BYTES, MAX_SECONDS = 4_096, 64 * 1024 * 1024, 24 * 3600.0

Slot = tuple[str, str, str]  # caller, path, key: callers cannot see each other's answers

_FAULTY = re.compile(rb'"code": ?"(' + "|".join(FAULTS).encode() + rb')"')  # in a text of JSON its quotes are escaped
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(slots=True)
class Kept:
    """A request that was seen: the hash of its body and, once it is answered, the messages that were sent."""

    digest: bytes
    since: float
    done: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def final(self) -> bool:
        """Whether a repeat would get no better one: it is of 2xx, and no item failed by a fault of ours."""
        return bool(self.messages) and 200 <= self.messages[0]["status"] < 300 and not _FAULTY.search(self.body)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def size(self) -> int:
        return sum(len(message.get("body", b"")) for message in self.messages)

    def holds(self, words: bytes) -> bool:
        return words in self.body


class Answers:
    """What was answered, oldest first; bounded in entries, bytes and time."""

    def __init__(
        self, entries: int = MAX_ENTRIES, size: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.entries = entries
        self.size = size
        self._clock = clock
        self._kept: OrderedDict[Slot, Kept] = OrderedDict()
        self._bytes = 0

    def begin(self, slot: Slot, digest: bytes) -> Kept | None:
        """The earlier answer to the same request; None when this is the first, which is now under way.

        RefusedError: 422 for another body, 409 while the first is under way.
        """
        self._expire()
        kept = self._kept.get(slot)
        if kept is None:
            self._kept[slot] = Kept(digest, self._clock())
            return None
        if kept.digest != digest:
            message = "this Idempotency-Key came with another body before: use a new key for a new request"
            raise RefusedError(422, "idempotency_key_reused", message)
        if not kept.done:
            message = "the first request with this Idempotency-Key is under way: wait for its answer"
            raise RefusedError(409, "idempotency_key_in_use", message, {"Retry-After": "1"})
        return kept

    def end(self, slot: Slot, messages: list[Message]) -> None:
        """Keep an answer that is final, forget another one (or none)."""
        kept = self._kept[slot]
        if not Kept(kept.digest, kept.since, messages=messages).final:
            return self._forget(slot)
        kept.messages, kept.done = messages, True
        self._bytes += kept.size
        self._expire()
        return None

    def drop(self, prediction: bytes) -> None:
        """Forget every answer that holds a prediction's id (at 64 MiB some hundredths of a second)."""
        for slot in [slot for slot, kept in self._kept.items() if kept.holds(prediction)]:
            self._forget(slot)

    def _expire(self) -> None:
        """Forget the oldest answers until all bounds hold; those under way are bounded by their places."""
        too_old = self._clock() - MAX_SECONDS
        for slot in list(self._kept):
            kept = self._kept[slot]
            if len(self._kept) <= self.entries and self._bytes <= self.size and kept.since >= too_old:
                return
            if kept.done:
                self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        self._bytes -= self._kept.pop(slot).size


class Idempotent:
    """ASGI middleware: honours Idempotency-Key on PATHS; a repeated answer carries Idempotency-Replayed: true.

    An answer that holds a prediction is forgotten before its deletion is confirmed, or answered 404: an earlier one,
    whose answer was lost, may have done it.
    """

    def __init__(self, app: ASGIApp, memory: Answers) -> None:
        self.app = app
        self.memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "DELETE" and scope["path"].startswith(PREDICTIONS):
            return await self._delete(scope, receive, send)
        key = Headers(scope=scope).get("idempotency-key")
        if key is None or scope["method"] != "POST" or scope["path"] not in PATHS:
            return await self.app(scope, receive, send)
        if not _KEY.fullmatch(key):
            raise RefusedError(400, "invalid_idempotency_key", "Idempotency-Key: use 1-255 visible ASCII characters")
        slot = (scope["user"].username, scope["path"], key)
        kept = self.memory.begin(slot, hashlib.sha256(scope[BODY]).digest())
        if kept is not None:
            return await _replay(kept, send)
        return await self._record(slot, scope, receive, send)

    async def _delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        prediction = scope["path"].removeprefix(PREDICTIONS)
        if not re.fullmatch(PREDICTION_ID, prediction):  # a piece of an id stands in everybody's answers
            return await self.app(scope, receive, send)

        async def forget(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (204, 404):
                self.memory.drop(prediction.encode())
            await send(message)

        return await self.app(scope, receive, forget)

    async def _record(self, slot: Slot, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []
        complete = False

        async def record(message: Message) -> None:
            nonlocal complete
            messages.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                complete = True
                self.memory.end(slot, messages)  # before it is sent: who has read half of it may delete what it holds
            await send(message)

        try:
            await self.app(scope, receive, record)
        finally:
            if not complete:
                self.memory.end(slot, [])


async def _replay(kept: Kept, send: Send) -> None:
    metrics.REPLAYED.inc()
    for message in kept.messages:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"idempotency-replayed", b"true")]}
        await send(message)

"""How large the head of a request may be, and how slowly it may come: uvicorn bounds neither for httptools.

100 MB of one header that never ended kept the event loop from every other caller for 8 s at a time, without a key: the
parser copies what it has at each piece. And a connection whose head never ended was kept for ever, as was one on which
anything came after an answer that was no next request: the rest of a refused body, an empty line. uvicorn's own time
for an idle connection ends with the next byte.
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from typing import TYPE_CHECKING, Any, cast

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.gate.parser import Parser

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

MAX_HEAD = 64 * 1024  # bytes, as uvicorn's other parser has it; a piece of what comes may be four times as large
HEAD_SECONDS = 60.0  # as nginx has it; also for a connection on which nothing comes, and for the rest of a refused body
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, which ends a connection whose head is larger than MAX_HEAD or not whole in HEAD_SECONDS.

    Nor does it speak anything else afterwards, whatever the head asks for: see `Parser`.
    """

    parser: Parser
    _waiting: TimerHandle | None = None
    _size = 0  # of the head under way, as far as it has come
    _in_body = False  # also where it is refused already, and only dropped
    _answered: RequestResponseCycle | None = None  # the one that is under way; `cycle` is the last in the pipeline

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.parser = Parser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own: requests in a pipeline

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self._waiting
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._waiting is None and self.cycle is not None and self.cycle.response_complete:
            self._wait()
        if self._waiting is None or self._waiting is not before or self._in_body:
            return  # no head is under way, or it began in the midst of this piece
        self._size += len(data)
        if self._size > MAX_HEAD:
            self.logger.warning("The head of a request is too large.")
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._size = 0
        if self._waiting is None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._stop()
        if not self.parser.again:
            self._in_body = True
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self.parser.again:
            return
        self._in_body, self._size = False, 0
        if self._waiting is not None:  # for the rest of a refused body; what follows has its own time
            self._stop()
            self._wait()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)
        if self._answered is not None and not self._answered.response_complete:  # else its answer fails with an error
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:  # the answer before it is still to be sent
            self._wait()
        else:
            self.transport.close()


def bound() -> None:
    """Have each server of this process that is configured from now on use BoundedHeads."""
    HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedHeads.__name__}"

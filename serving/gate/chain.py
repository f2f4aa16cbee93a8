"""All that stands before the service, in order: Front, Access, Unbroken, Limits, Idempotent, Guard, Working."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from serving.gate.access import Access
from serving.gate.admission import Admission
from serving.gate.front import Front
from serving.gate.guard import Guard
from serving.gate.heads import bound
from serving.gate.idempotency import Answers, Idempotent
from serving.gate.key_ring import KeyRing
from serving.gate.limits import Limits
from serving.gate.places import BESIDE, Working
from serving.gate.slots import Slots
from serving.gate.unbroken import Unbroken
from serving.settings import Settings


def build(app: ASGIApp, settings: Settings, keys: KeyRing) -> ASGIApp:
    """The chain; read from the bottom up it is the way of a request."""
    scoring = Admission(settings.concurrency, settings.patience)
    beside = Slots("requests beside /score are under way", BESIDE)
    app = Working(app, scoring, beside)
    app = Guard(app, settings.concurrency)
    app = Idempotent(app, Answers())
    app = Limits(app, settings, scoring, beside)
    app = Unbroken(app)
    app = Access(app, settings, keys)
    return Front(app)


class Gate:
    """The one ASGI middleware that BentoML is given.

    The chain is built with the first request: BentoML makes its middlewares before the service, and an error there
    would pass for "no lifespan supported". By then the service has read the same settings and refused bad ones. `keys`
    gives the keys that it read: their file may be gone or half written when that request comes.
    """

    def __init__(self, app: ASGIApp, keys: Callable[[], KeyRing]) -> None:
        self.app, self._keys = app, keys

    @cached_property
    def chain(self) -> ASGIApp:
        return build(self.app, Settings.from_env(), self._keys())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # we have none
            return await WebSocketClose()(scope, receive, send)
        app = self.chain if scope["type"] == "http" else self.app
        return await app(scope, receive, send)


bound()  # here, as uvicorn looks its protocol up before it calls any middleware

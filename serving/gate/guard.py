"""The gate before `POST /score`: it refuses what is invalid, in our words, before BentoML sees it.

BentoML 1.4 logs pydantic's error at ERROR when a body does not validate, and that message quotes the input:
posts would stand in the logs. It also fills a missing `items` with the documentation's sample. So the body is
validated here; what passes is parsed once more by BentoML.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from data.errors import InputError
from serving.gate.limits import BODY
from serving.gate.refusal import RefusedError
from serving.wire import read_request


class Guard:
    """ASGI middleware: validates the body of POST `path` and answers 400 itself; logs nothing."""

    def __init__(self, app: ASGIApp, path: str = "/score") -> None:
        self.app = app
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (scope["method"], scope["path"]) == ("POST", self.path):
            try:
                read_request(scope[BODY])
            except InputError as error:
                raise RefusedError(400, error.code, str(error)) from None
        await self.app(scope, receive, send)

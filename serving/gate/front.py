"""The outermost layer of ours: request id, access log, request metrics, and JSON for every error below."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import metrics
from serving.gate.endpoints import Endpoint, find
from serving.gate.refusal import CODES, RefusedError, answer, say_method
from serving.logs import REQUEST_ID

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
UNKNOWN = Endpoint("(unknown)")
TIMEOUT = 504  # what BentoML answers outside of us, when it cancels what takes longer than its timeout

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger("bentoml.yujing.access")


class Front:
    """ASGI middleware: answers what is refused below, names the endpoint in scope["yujing.endpoint"], logs and counts.

    A line of the log holds neither path nor query as sent, only the endpoint's name in our table.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = scope["yujing.endpoint"] = find(scope["path"]) or UNKNOWN
        start, request_id = time.perf_counter(), _request_id(scope)
        token = REQUEST_ID.set(request_id)
        exchange = Exchange(send, request_id)
        try:
            with metrics.IN_PROGRESS.track_inprogress():
                await self._answer(scope, receive, exchange)
        except asyncio.CancelledError:
            exchange.status = exchange.status or TIMEOUT
            raise
        finally:
            seconds = time.perf_counter() - start
            metrics.REQUESTS.labels(endpoint.path, str(exchange.status)).inc()
            metrics.REQUEST_SECONDS.labels(endpoint.path).observe(seconds)
            if endpoint.group != "probes":
                logger.info("request", extra=_line(scope, endpoint, exchange, seconds))
            REQUEST_ID.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        try:
            if scope["yujing.endpoint"] is UNKNOWN:
                raise RefusedError(404, "not_found", "no such endpoint: see /docs.json for those that there are")
            await self.app(scope, receive, exchange.send)
        except RefusedError as refused:
            metrics.REFUSED.labels(refused.code).inc()
            await refused.response(scope, receive, exchange.send)
        except Exception as fault:
            logger.error("request failed", exc_info=fault)
            if not exchange.status:
                await answer(500, CODES[500], _failed(exchange.request_id))(scope, receive, exchange.send)
            elif not exchange.ended:  # the server must break the connection: half an answer is none
                raise


class Exchange:
    """What goes out: adds the request id; an error that is no JSON (BentoML's and Starlette's own) becomes JSON."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self.status = 0
        self.ended = False
        self._send = send
        self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=list(message["headers"]))
            headers["X-Request-ID"] = self.request_id
            if self.status >= 400 and not _is_ours(headers):
                return await self._replace(headers)
            return await self._send({**message, "headers": headers.raw})
        self.ended = not message.get("more_body", False)
        if not self._replaced:
            await self._send(message)
        return None

    async def _replace(self, headers: MutableHeaders) -> None:
        self._replaced = True
        code = CODES.get(self.status, "refused")
        says = {405: say_method(headers.get("allow", "")), 500: _failed(self.request_id)}
        message = says.get(self.status, f"{code.replace('_', ' ')}: see /docs.json")
        spoken = answer(self.status, code, message)
        kept = {name: headers[name] for name in ("x-request-id", "allow", "retry-after") if name in headers}
        spoken.headers.update(kept)
        await self._send({"type": "http.response.start", "status": self.status, "headers": spoken.raw_headers})
        await self._send({"type": "http.response.body", "body": spoken.body})


def _failed(request_id: str) -> str:
    return f"the service failed: tell the operator the request id {request_id}"


def _is_ours(headers: MutableHeaders) -> bool:
    """Whether an error is in our shape; BentoML's are JSON of another one."""
    bentoml = headers.get("server", "").startswith("BentoML")
    return headers.get("content-type") == "application/json" and not bentoml


def _request_id(scope: Scope) -> str:
    """The caller's own, if it is harmless in a log, else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _line(scope: Scope, endpoint: Endpoint, exchange: Exchange, seconds: float) -> dict[str, object]:
    user = scope.get("user")
    return {
        "method": scope["method"] if scope["method"] in METHODS else "(other)",
        "endpoint": endpoint.path,
        "status": exchange.status,
        "ms": round(1000 * seconds, 1),
        "caller": getattr(user, "username", "") or None,
    }

"""Who may call. The caller's name and scopes go along, as Starlette's `request.user` and `request.auth`.

A handler that needs a scope says `@requires("feedback")` (starlette.authentication) and reads the key's name from
`request.user.username`; whole endpoints have theirs in the table of `serving.gate.endpoints`.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.authentication import AuthCredentials, SimpleUser, UnauthenticatedUser
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.gate.endpoints import Endpoint
from serving.gate.key_ring import KeyRing
from serving.gate.keys import ANONYMOUS, SCOPES
from serving.gate.refusal import GONE, RefusedError
from serving.settings import Settings

LOCAL_SCOPES = tuple(scope for scope in SCOPES if scope != "admin")  # without a key nobody swaps models
HOW = "send Authorization: Bearer <key>"
ELSEWHERE = "call from a program, or from a page of this very host and port, or run the service with keys"
MAX_NAME = 255  # characters of a host's name; a Host of 64 KiB, each another, would be kept 1,024 times
SAFE = ("GET", "HEAD", "OPTIONS")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")  # what proxies add


class Access:
    """ASGI middleware: lets a caller through who has a key with the endpoint's scope, else 401 or 403."""

    def __init__(self, app: ASGIApp, settings: Settings, keys: KeyRing) -> None:
        self.app = app
        self.settings = settings
        self.keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint: Endpoint = scope["yujing.endpoint"]
        if endpoint.group in self.settings.public:
            scope["user"], scope["auth"] = UnauthenticatedUser(), AuthCredentials()
            return await self.app(scope, receive, send)
        name, scopes = self._caller(scope)
        scope["user"], scope["auth"] = SimpleUser(name), AuthCredentials(scopes)
        if endpoint.scope is not None and endpoint.scope not in scopes:
            message = f"{name} may not do this: {endpoint.path} needs a key with the scope {endpoint.scope!r}"
            raise RefusedError(403, "forbidden", message)
        return await self.app(scope, receive, send)

    def _caller(self, scope: Scope) -> tuple[str, tuple[str, ...]]:
        if not self.keys.configured:
            self._check_local(scope)
            return ANONYMOUS, LOCAL_SCOPES
        secret = _presented(Headers(scope=scope))
        if secret is None or (key := self.keys.find(secret)) is None:
            said = f"no API key: {HOW}" if secret is None else f"unknown API key: it may have been exchanged; {HOW}"
            raise RefusedError(401, "unauthorized", said, {"WWW-Authenticate": "Bearer"})
        return key.name, key.scopes

    def _check_local(self, scope: Scope) -> None:
        """Without keys only this machine may call, and by itself: holds however the service was started.

        A proxy here calls from 127.0.0.1 for whoever called it, and a browser for any page that it shows.
        """
        if self.settings.anonymous:
            return
        if scope.get("client") is None:  # it was reset before the server looked: no stranger
            raise RefusedError(GONE, "client_gone", "the connection ended before it was known who called")
        if (sign := _proxied(scope)) is not None:
            why = f"no API key is configured, and {sign} shows that a proxy passed this on for somebody else"
            what = "the operator can run `yujing keys new`, or let anybody in with YUJING_ANONYMOUS=true"
            raise RefusedError(403, "no_keys", f"{why}: {what}")
        if not all(map(is_local, _hosts(scope))):
            message = "no API key is configured, so only 127.0.0.1 may call: the operator can run `yujing keys new`"
            raise RefusedError(403, "no_keys", message)
        if (sign := _from_elsewhere(scope)) is not None:
            why = f"no API key is configured, and {sign} shows that a page of another site sent this"
            raise RefusedError(403, "cross_site", f"{why}: {ELSEWHERE}")


def is_local(host: str) -> bool:
    """Whether an IP address is this machine's own loopback; what is longer than any name is not even remembered."""
    return len(host) <= MAX_NAME and _is_loopback(host)


@lru_cache(1_024)
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxied(scope: Scope) -> str | None:
    """What shows that a proxy sent this: one of its headers, or HTTP/1.0, which nginx speaks unless told otherwise."""
    headers = Headers(scope=scope)
    found = next((name for name in FORWARDED if name in headers), None)
    return "HTTP/1.0" if found is None and scope.get("http_version") == "1.0" else found


def _from_elsewhere(scope: Scope) -> str | None:
    """Which header says that a browser sent this for a page of another origin.

    A page can send JSON without a Content-Type, which needs no preflight. As Go's CrossOriginProtection: safe methods
    pass, as their answers stay hidden from the page; Sec-Fetch-Site counts first, Origin where a browser is older.
    """
    headers = Headers(scope=scope)
    if scope["method"] in SAFE:
        return None
    if (site := headers.get("sec-fetch-site")) is not None:
        return None if site in ("same-origin", "none") else "Sec-Fetch-Site"
    origin = headers.get("origin")
    same = origin is None or origin.lower() == f"{scope['scheme']}://{headers.get('host', '')}".lower()
    return None if same else "Origin"


def _hosts(scope: Scope) -> tuple[str, str, str]:
    """Both ends of the connection, and the name in Host: a browser page may point a name of its own at 127.0.0.1."""
    with suppress(ValueError):
        named = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
        server, client = (str((scope.get(end) or ("",))[0]) for end in ("server", "client"))
        return server, client, "127.0.0.1" if named == "localhost" else named
    return "", "", ""


def _presented(headers: Headers) -> str | None:
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret.strip():
        return secret.strip()
    return headers.get("x-api-key") or None

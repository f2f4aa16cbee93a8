"""Heads of requests on a real socket: bounded in size and time, whole ones and what is under way unharmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

import serving.gate.chain  # noqa: F401  (what the service imports)
from serving.gate import heads
from serving.gate.heads import MAX_HEAD, TOO_LARGE, BoundedHeads

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]
HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n"
REFUSED = HEAD.replace(b"/ ", b"/refused ", 1)


def spoken(talk: Talk, opened: asyncio.Event | None = None) -> bytes:
    """What is said on one connection to an app that answers with the size of a body, once `opened`, or refuses it."""

    async def size(request: Request) -> PlainTextResponse:
        body = await request.body()
        if opened is not None:
            await opened.wait()
        return PlainTextResponse(f"size {len(body)}")

    async def refuse(_: Request) -> PlainTextResponse:
        return PlainTextResponse("refused", 415)

    routes = [Route("/", size, methods=["POST"]), Route("/refused", refuse, methods=["POST"])]
    return spoken_to(Starlette(routes=routes), talk)


def spoken_to(app: ASGIApp, talk: Talk) -> bytes:
    """What is said on one connection to an app."""

    async def run() -> bytes:
        config = Config(app, lifespan="off", log_config=None)
        config.load()
        assert config.http_protocol_class is BoundedHeads
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: BoundedHeads(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await asyncio.wait_for(talk(reader, writer), 40)
        finally:
            writer.close()
            server.close()

    return asyncio.run(run())


@pytest.mark.parametrize("piece", [b"X-A: " + b"a" * 8_000, b"X-A: b\r\n" * 1_000, b"\r\n" * 4_000])
def test_a_head_that_does_not_end_ends_the_connection(piece: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        with suppress(ConnectionError):
            writer.write(b"" if piece.startswith(b"\r") else HEAD % 0)
            for _ in range(1_000):
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        return b""

    assert spoken(talk) in (TOO_LARGE, b"")


def test_what_a_large_head_gets() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(HEAD % 0 + b"X-A: " + b"a" * MAX_HEAD)
        return await reader.read()

    assert spoken(talk) == TOO_LARGE


def test_a_large_body_and_the_next_head_in_its_last_piece_are_no_large_head() -> None:
    request = HEAD % 300_000 + b"X-A: " + b"a" * 30_000 + b"\r\n\r\n" + b" " * 300_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(request + request[:20])
        first = await reader.readuntil(b"size 300000")
        writer.write(request[20:])
        return first + await reader.readuntil(b"size 300000")

    assert spoken(talk).count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("begun", [b"", b"POST / HT", HEAD % 3, HEAD % 3 + b"\r\nabcPOST"])
def test_a_connection_whose_head_does_not_come_is_closed(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(begun)
        try:
            return await reader.read()  # until it is closed
        except ConnectionResetError:  # as well, where what was begun lies unread
            return b""

    assert (b"size 3" in spoken(talk)) == (b"abc" in begun)


def test_an_answer_under_way_is_not_cut_off_by_a_slow_head_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.01)
    opened = asyncio.Event()
    waited = []
    monkeypatch.setattr(BoundedHeads, "_wait", lambda self, wait=BoundedHeads._wait: (waited.append(1), wait(self)))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(HEAD % 3 + b"\r\nabcPOST / HT")
        while len(waited) < 5:  # it has been about to give up several times
            await asyncio.sleep(0.01)
        opened.set()
        return await reader.read()

    assert spoken(talk, opened).endswith(b"size 3")


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_who_answers_hears_that_the_caller_left_whatever_stands_behind_in_the_pipeline(behind: int) -> None:
    told: list[str] = []
    begun, ended = asyncio.Event(), asyncio.Event()

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        told.append((await receive())["type"])
        begun.set()
        told.append((await receive())["type"])
        ended.set()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write((HEAD % 0 + b"\r\n") * (1 + behind))
        await begun.wait()
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), 5)
        return b""

    spoken_to(app, talk)
    assert told == ["http.request", "http.disconnect"]


@pytest.mark.parametrize("rest", [b"a", b"a" * 9, b"a" * 9 + b"\r\n", b"a" * 9 + b"POST / HT"])
def test_a_connection_on_which_no_request_follows_a_refused_body_is_closed(
    rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(REFUSED % 9 + b"\r\n")
        answer = await reader.readuntil(b"refused")
        writer.write(rest)
        return answer + await reader.read()  # until it is closed

    assert spoken(talk).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("pieces", [1, 2, 40])
def test_the_rest_of_a_refused_body_is_no_large_head(pieces: int) -> None:
    size = 10 * MAX_HEAD
    following = HEAD % 3 + b"\r\nabc"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(REFUSED % size + b"\r\n")
        answer = await reader.readuntil(b"refused")
        for number in range(pieces):
            writer.write(b"a" * (size // pieces) + following[:9] * (number == pieces - 1))
            await writer.drain()
            await asyncio.sleep(0.002)
        writer.write(following[9:])
        return answer + await reader.readuntil(b"size 3")

    assert spoken(talk).count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("wish", [b"h2c", b"websocket", b"TLS/1.0"])
@pytest.mark.parametrize("cut", [0, 60, 150, 165, 172])
def test_a_wish_for_another_protocol_costs_no_body(wish: bytes, cut: int) -> None:
    """Java's HttpClient asks for h2c with every first request; in whatever pieces it comes."""
    wished = HEAD % 9 + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAEA\r\n\r\n" % wish
    requests = (wished + b"a" * 9) * 3 + HEAD % 2 + b"\r\nab"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(requests[:cut])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(requests[cut:])
        return await reader.readuntil(b"size 2")

    said = spoken(talk)
    assert (said.count(b"size 9"), said.count(b"HTTP/1.1 200 OK")) == (3, 4)


def test_a_tunnel_is_refused() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"CONNECT here:80 HTTP/1.1\r\nHost: here\r\n\r\n")
        return await reader.read()

    assert spoken(talk).startswith(b"HTTP/1.1 400 ")

"""The whole chain before the service, around a small app: how much may be sent, in what form and how slowly."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
from gate_app import BODY, KEYED, PATHS, App, ask, bearer, built, code
from starlette.types import Message

from serving.gate.guard import LARGE
from serving.settings import Settings


@pytest.mark.parametrize("length", ["2049", "9999999999999999999999"])
def test_a_body_is_refused_by_its_announced_length_alone(length: str) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = ask("POST", "/score", content=never(), headers={"Content-Length": length}, max_body=2048)
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("size", [2000, 2048, 2049, 10_000_000])
def test_a_body_without_length_is_counted(size: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        sent = 0
        while sent < size:
            yield b" " * min(1000, size - sent)
            sent += 1000
            assert sent <= 4000, "read on after the limit"

    answer = ask("POST", "/feedback", content=chunks(), max_body=2048, headers={"Content-Type": "application/json"})
    assert answer.status_code == (413 if size > 2048 else 500)  # blanks are no JSON for the small app


def test_a_slow_body_ends() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert code(ask("POST", "/score", content=slow(), body_seconds=0.05)) == (408, "body_timeout")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "zstd"])
def test_compressed_bodies_are_refused_unread(encoding: str) -> None:
    bomb = gzip.compress(b"[" * 10_000_000)
    assert code(ask("POST", "/score", content=bomb, headers={"Content-Encoding": encoding})) == (
        415,
        "unsupported_encoding",
    )


@pytest.mark.parametrize("encoding", ["identity", " Identity ", ""])
def test_no_compression_may_be_said(encoding: str) -> None:
    assert ask("POST", "/score", json=BODY, headers={"Content-Encoding": encoding}).status_code == 200


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_wrong_clock_of_one_post_is_no_reason_to_refuse_its_neighbours(time: str) -> None:
    posts = [{"text": "好"}, {"text": "坏", "published_at": time}]
    assert ask("POST", "/score", json={"items": posts}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sent", [b"", json.dumps(BODY).encode()])
def test_a_body_whose_sender_went_away_is_not_taken_for_a_whole_one(path: str, sent: bytes) -> None:
    app = App()
    torn = iter([{"type": "http.request", "body": sent, "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(torn)

    async def gone(message: Message) -> None:
        assert message.get("status", 499) == 499

    headers = {**bearer(PATHS[path]), "Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": "99"}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "headers": raw}
    asyncio.run(built(app.app, Settings(**KEYED))(scope, receive, gone))
    assert app.calls == 0


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, 20 * LARGE])
def test_a_large_body_is_checked_like_a_small_one(size: int) -> None:
    good, bad = (json.dumps({"items": items}).encode().ljust(size) for items in ([{"text": "好"}], [{"text": ""}]))
    headers = {"Content-Type": "application/json"}
    assert ask("POST", "/score", content=good, headers=headers).status_code == 200
    assert code(ask("POST", "/score", content=bad, headers=headers)) == (400, "invalid_input")


def test_forms_are_refused() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert code(ask("POST", "/score", content=b"a=b", headers=form)) == (415, "unsupported_media_type")

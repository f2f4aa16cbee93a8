"""A reload: the exchange and what must follow it are one piece, in a thread, whatever becomes of the caller."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from threading import Event, Thread, current_thread
from types import SimpleNamespace

import pytest
from keyword_scorer import KeywordScorer
from starlette.authentication import AuthCredentials
from starlette.requests import Request

from models.bundle import open_bundle
from serving.gate.places import BODY
from serving.live import BusyError, Live, Loaded
from serving.pages import reload
from serving.settings import Settings


class Recorder:
    """Notes which models it was told to follow, and in which threads."""

    def __init__(self) -> None:
        self.followed: list[str] = []
        self.threads: list[Thread] = []
        self.told = Event()

    def follow(self, _: Path, model_id: str) -> None:
        self.followed.append(model_id)
        self.threads.append(current_thread())
        self.told.set()


class Slow:
    """The start is quick; a reload waits until `go`."""

    def __init__(self) -> None:
        self.begun, self.go = Event(), Event()

    def __call__(self, settings: Settings) -> Loaded:
        if settings.bundle is not None:
            self.begun.set()
            assert self.go.wait(20)
        return Loaded(KeywordScorer(), open_bundle(None))


def request(live: Live, recorder: Recorder, body: bytes = b'{"bundle": "other"}') -> Request:
    app = SimpleNamespace(state=SimpleNamespace(live=live, recorder=recorder))
    scope = {"type": "http", "app": app, "auth": AuthCredentials(["admin"]), BODY: body}
    return Request(scope)


def test_the_monitor_follows_in_a_thread_and_requests_go_on() -> None:
    load, recorder = Slow(), Recorder()
    load.go.set()
    answer = asyncio.run(reload(request(Live(Settings(), load), recorder)))
    assert answer.status_code == 200
    assert recorder.followed == [KeywordScorer.model_id]
    assert recorder.threads != [current_thread()]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"[]", "record: Input should be an object"),
        (b'{"bundle": 7}', "bundle: Input should be a valid string"),
        (json.dumps(dict.fromkeys(map(str, range(100_000)))).encode(), "record: at most 32 fields, got 100000"),
    ],
)
def test_a_body_that_is_no_reload_is_refused_as_any_other(body: bytes, place: str) -> None:
    load, recorder = Slow(), Recorder()
    answer = asyncio.run(reload(request(Live(Settings(), load), recorder, body)))
    assert answer.status_code == 400
    assert json.loads(answer.body)["error"]["message"].startswith(place)
    assert not load.begun.is_set()


def test_the_monitor_follows_though_the_caller_was_given_up() -> None:
    load, recorder = Slow(), Recorder()

    async def given_up(live: Live) -> None:
        task = asyncio.ensure_future(reload(request(live, recorder)))
        await asyncio.to_thread(load.begun.wait, 20)
        task.cancel()  # as BentoML does after 120 s
        with pytest.raises(asyncio.CancelledError):
            await task
        load.go.set()

    live = Live(Settings(), load)
    before = live.current
    asyncio.run(given_up(live))
    assert recorder.told.wait(20)
    assert live.current is not before
    assert recorder.followed == [KeywordScorer.model_id]


def test_no_other_swap_begins_before_what_follows_has_ended() -> None:
    load = Slow()
    load.go.set()
    live, told = Live(Settings(), load), []

    def then(fresh: Loaded) -> None:
        assert live.current is fresh
        with pytest.raises(BusyError):
            live.swap(Path("another"))
        told.append(fresh)

    assert [live.swap(Path("other"), then)] == told
    assert live.swap(Path("another")) is live.current

"""Whether the database is there: asked again after a while, told once."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from stored import metric

from serving.store import standing
from serving.store.errors import StoreDownError
from serving.store.standing import LOOK_SECONDS, RETRY_SECONDS, Standing


def down() -> str:
    raise StoreDownError("no answer")


def test_a_database_that_is_down_is_asked_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now, calls = [100.0], list[float]()
    monkeypatch.setattr(standing, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def ask() -> str | None:
        return found.ask(lambda: calls.append(now[0]) or "an answer")  # type: ignore[func-returns-value]

    found = Standing()
    assert found.due
    assert found.ask(down) is None
    assert (found.up, found.due, ask(), calls) == (False, False, None, [])
    now[0] += RETRY_SECONDS - 0.1
    assert (ask(), calls) == (None, [])
    now[0] += 0.1
    assert (ask(), calls, found.up) == ("an answer", [105.0], True)
    assert not found.stale  # somebody has just asked
    now[0] += LOOK_SECONDS
    assert found.stale


def test_only_a_change_is_logged_and_the_metric_follows(caplog: pytest.LogCaptureFixture) -> None:
    found = Standing()
    with caplog.at_level(logging.WARNING):
        for step, up in ((down, 0.0), (down, 0.0), (lambda: "", 1.0), (lambda: "", 1.0), (down, 0.0)):
            found._retry_at = 0.0  # time has passed
            found.ask(step)
            assert metric("yujing_store_up") == up
    assert [record.message for record in caplog.records] == [
        "the store is down, predictions go to the spool: no answer",
        "the store is up again",
        "the store is down, predictions go to the spool: no answer",
    ]

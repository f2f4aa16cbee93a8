"""The memory of answers: bounded in entries, bytes and time, and never mixes callers."""

from __future__ import annotations

import pytest

from data.results import ItemError, Result
from serving.gate.idempotency import FAULTS, MAX_SECONDS, Answers, Kept, Slot
from serving.gate.refusal import RefusedError
from serving.wire import write_results


def slot(key: str, caller: str = "desk") -> Slot:
    return caller, "/score", key


def keep(memory: Answers, key: str, size: int = 10, status: int = 200, caller: str = "desk") -> None:
    assert memory.begin(slot(key, caller), b"d") is None
    start = {"type": "http.response.start", "status": status, "headers": []}
    memory.end(slot(key, caller), [start, {"type": "http.response.body", "body": b"x" * size}])


def found(memory: Answers, key: str, caller: str = "desk") -> Kept | None:
    kept = memory.begin(slot(key, caller), b"d")
    if kept is None:
        memory.end(slot(key, caller), [])
    return kept


def test_the_oldest_leave_first() -> None:
    memory = Answers(entries=3)
    for key in "abcd":
        keep(memory, key)
    assert found(memory, "a") is None
    assert found(memory, "d") is not None


def test_large_answers_push_others_out() -> None:
    memory = Answers(size=100)
    for key in "abc":
        keep(memory, key, size=40)
    assert [found(memory, key) is not None for key in "abc"] == [False, True, True]
    keep(memory, "huge", size=1000)
    assert memory._bytes <= 100  # at once, not with the next request
    assert found(memory, "huge") is None
    assert memory._bytes == 0


def test_answers_age() -> None:
    now = [0.0]
    memory = Answers(clock=lambda: now[0])
    keep(memory, "a")
    now[0] = MAX_SECONDS + 1
    assert found(memory, "a") is None


def test_callers_are_apart_and_failures_are_forgotten() -> None:
    memory = Answers()
    keep(memory, "a", caller="desk")
    assert found(memory, "a", caller="press") is None
    keep(memory, "b", status=503)
    assert found(memory, "b") is None


def test_what_is_under_way_is_never_pushed_out() -> None:
    memory = Answers(entries=1)
    memory.begin(slot("a"), b"d")
    keep(memory, "b")
    with pytest.raises(RefusedError, match="under way"):
        memory.begin(slot("a"), b"d")


def keep_results(memory: Answers, key: str, *results: Result) -> None:
    assert memory.begin(slot(key), b"d") is None
    body, half = write_results(results), len(write_results(results)) // 2
    start = {"type": "http.response.start", "status": 200, "headers": []}
    parts = [{"type": "http.response.body", "body": part} for part in (body[:half], body[half:])]
    memory.end(slot(key), [start, *parts])


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_with_a_fault_of_ours_is_not_kept(fault: str) -> None:
    memory, fine = Answers(), Result(id="a", model="m")
    keep_results(memory, "a", fine, Result(id="b", model="m", error=ItemError(fault, "scoring failed")))
    assert found(memory, "a") is None
    assert memory._bytes == 0
    keep_results(memory, "b", fine, Result(id="b", model="m", error=ItemError("empty_text", "nothing to read")))
    assert found(memory, "b") is not None  # the caller's own: it would fail again


def test_what_a_caller_writes_is_no_fault() -> None:
    memory = Answers()
    keep_results(memory, "a", Result(id='"code":"internal_error"', model="m"))
    assert found(memory, "a") is not None

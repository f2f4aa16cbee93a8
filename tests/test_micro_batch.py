"""Requests that meet are scored as one call, and each gets what it would get alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import pytest
from keyword_scorer import CRASH, POISON, SHORT, KeywordScorer

from data.records import Item
from data.results import Result
from models.together import ROWS
from serving.micro_batch import SMALL, USUAL, MicroBatcher
from serving.remembered import READING, Reading, tell


class Held(KeywordScorer):
    """Notes how many items each call has; a call that holds the item "held" waits for `go`."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.begun, self.go = Event(), Event()

    def score(self, items: Sequence[Item]) -> list[Result]:
        self.calls.append(len(items))
        if any(item.id == "held" for item in items):
            self.begun.set()
            assert self.go.wait(20)
        return super().score(items)


@asynccontextmanager
async def busy(scorer: Held) -> AsyncIterator[tuple[MicroBatcher, asyncio.Task[list[Result]]]]:
    """A batcher whose thread scores a held item, and the task that waits for it."""
    batcher = MicroBatcher()
    held = asyncio.create_task(batcher.score(scorer, [Item(id="held", text="好")]))
    await asyncio.to_thread(scorer.begun.wait, 20)
    try:
        yield batcher, held
    finally:
        scorer.go.set()
        await held
        batcher.close()


def posts(*texts: str) -> list[Item]:
    return [Item(id=text, text=text) for text in texts]


async def _waiting(batcher: MicroBatcher, number: int) -> None:
    while len(batcher._waiting) < number:
        await asyncio.sleep(0)


def together(asked: Sequence[Sequence[Item]], scorer: Held | None = None) -> tuple[list[int], list[Any]]:
    """Calls that were made, and the answers of requests that all came while the thread was busy."""
    scorer = scorer or Held()

    async def run() -> list[Any]:
        async with busy(scorer) as (batcher, _):
            tasks = [asyncio.create_task(batcher.score(scorer, items)) for items in asked]
            await _waiting(batcher, len(tasks))
            scorer.go.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    return scorer.calls, asyncio.run(run())


def ids(found: Sequence[Result]) -> list[str | None]:
    return [result.id for result in found]


def test_those_that_wait_are_one_call_and_each_gets_its_own() -> None:
    asked = [posts("假货"), posts("好", "爆炸了"), posts("物流慢")]
    calls, found = together(asked)
    assert calls == [1, 4]
    assert found == [KeywordScorer().score(items) for items in asked]


def test_one_call_is_bounded() -> None:
    calls, found = together([posts(*"一二三四五六七八九十甲乙丙丁戊己")] * (ROWS // SMALL + 2))
    assert calls == [1, ROWS, 2 * SMALL]
    assert {len(results) for results in found} == {SMALL}


def test_one_call_is_bounded_in_characters_too() -> None:
    calls, _ = together([posts("长" * SMALL * USUAL)] * (ROWS // SMALL + 2))
    assert calls == [1, ROWS // SMALL, 2]


def test_a_bad_item_and_a_crash_are_only_their_owners() -> None:
    _, (good, poisoned, crashed, last) = together([posts("假货"), posts(POISON), posts(CRASH), posts("好")])
    assert [result.error for result in (*good, *last)] == [None, None]
    assert [result.error and result.error.code for result in (*poisoned, *crashed)] == [
        "invalid_input",
        "internal_error",
    ]


def test_results_that_are_too_few_are_an_error_of_that_request_alone() -> None:
    _, (good, short, last) = together([posts("假货"), posts(SHORT, "好"), posts("好")])
    assert [ids(good), ids(last)] == [["假货"], ["好"]]
    assert isinstance(short, RuntimeError)


def test_a_reload_mixes_no_models() -> None:
    first, second = Held(), Held()
    second.model_id = "yujing-risk:second"

    async def run() -> list[list[Result]]:
        async with busy(first) as (batcher, _):
            scorers = [first, first, second, first]
            tasks = [asyncio.create_task(batcher.score(one, posts("好"))) for one in scorers]
            await _waiting(batcher, len(tasks))
            first.go.set()
            return await asyncio.gather(*tasks)

    models = [result.model for [result] in asyncio.run(run())]
    assert models == [first.model_id, first.model_id, second.model_id, first.model_id]
    assert (first.calls, second.calls) == ([1, 2, 1], [1])


@pytest.mark.parametrize(
    "items",
    [[Item(text="假货", explain=True)], posts(*map(str, range(SMALL + 1))), posts("长" * (SMALL * USUAL + 1))],
    ids=["evidence", "many", "long"],
)
def test_what_takes_long_keeps_nobody_waiting_and_waits_for_nobody(items: list[Item]) -> None:
    async def run() -> tuple[list[Result], bool]:
        async with busy(scorer := Held()) as (batcher, held):
            return await batcher.score(scorer, items), held.done()

    found, done = asyncio.run(run())
    assert found == KeywordScorer().score(items)
    assert not done


def test_who_left_is_not_missed() -> None:
    async def run() -> list[Result]:
        async with busy(scorer := Held()) as (batcher, _):
            gone, kept = (asyncio.create_task(batcher.score(scorer, posts(text))) for text in ("好", "假货"))
            await _waiting(batcher, 2)
            gone.cancel()
            scorer.go.set()
            with pytest.raises(asyncio.CancelledError):
                await gone
            return await kept

    assert asyncio.run(run()) == KeywordScorer().score(posts("假货"))


def test_closing_answers_what_waits() -> None:
    async def run() -> list[list[Result]]:
        scorer, batcher = Held(), MicroBatcher()
        tasks = [asyncio.create_task(batcher.score(scorer, posts("好")))]
        tasks += [asyncio.create_task(batcher.score(scorer, [Item(id="held", text="好")]))]
        await asyncio.to_thread(scorer.begun.wait, 20)
        tasks += [asyncio.create_task(batcher.score(scorer, posts("假货")))]
        await _waiting(batcher, 1)
        scorer.go.set()
        await asyncio.to_thread(batcher.close)
        return await asyncio.gather(*tasks)

    assert [ids(found) for found in asyncio.run(run())] == [["好"], ["held"], ["假货"]]


def test_what_comes_after_closing_is_answered_too() -> None:
    async def run() -> list[Result]:
        batcher = MicroBatcher()
        batcher.close()
        return await asyncio.wait_for(batcher.score(KeywordScorer(), posts("假货")), 20)

    assert asyncio.run(run()) == KeywordScorer().score(posts("假货"))


class Panicking(Held):
    """A library in Rust that panics: its exception is none of Python's `Exception`."""

    def score(self, items: Sequence[Item]) -> list[Result]:
        if any(item.id == "panic" for item in items):
            raise BaseException("a panic")
        return super().score(items)


def test_a_panic_costs_its_own_request_and_no_other() -> None:
    _, (panicked, fine) = together([posts("panic"), posts("好")], Panicking())
    assert isinstance(panicked, RuntimeError)
    assert [result.id for result in fine] == ["好"]


class Reads(Held):
    """Tells of two rows read and six known in each call but the held one."""

    def score(self, items: Sequence[Item]) -> list[Result]:
        found = super().score(items)
        if not any(item.id == "held" for item in items):
            tell(2, 6)
        return found


def test_each_request_of_one_call_hears_the_share_that_was_read_for_all() -> None:
    readings = [Reading(), Reading()]

    async def ask(batcher: MicroBatcher, scorer: Held, reading: Reading) -> list[Result]:
        READING.set(reading)
        return await batcher.score(scorer, posts("好"))

    async def run(scorer: Held) -> None:
        async with busy(scorer) as (batcher, _):
            tasks = [asyncio.create_task(ask(batcher, scorer, reading)) for reading in readings]
            await _waiting(batcher, len(tasks))
            scorer.go.set()
            await asyncio.gather(*tasks)
            await batcher.score(scorer, posts("另一条"))  # whose share nobody asked for

    asyncio.run(run(Reads()))
    assert [(reading.read, reading.known) for reading in readings] == [(2, 6), (2, 6)]

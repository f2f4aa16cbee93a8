"""Small requests that come while the scorer is busy are scored as one call, by a thread of its own.

A call costs a fixed part (tokenizer, arrays, one run of the engine for each length), and threads that each score for
one request fight for Python's lock: with 32 callers of one post each this serves a tenth more than a thread each.
Nobody waits for company: an idle scorer begins at once. What takes long (many items, evidence) has threads of its own
and meets the others in the engine (`models.together`), where it takes turns with them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from itertools import islice
from threading import Condition, Thread

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from data.records import Item
from data.results import Result
from models.together import ROWS
from serving.remembered import READING, Reading
from serving.scoring import SupportsScore, score_aligned

SMALL = 16  # items of a request that meets others
USUAL = 100  # characters of an item, on average: one of thousands, which is read in pieces, takes as long as dozens
LARGE_AT_ONCE = 16  # requests that take long and are scored at the same time; more would only wait


@dataclass(frozen=True, slots=True)
class _Asked:
    scorer: SupportsScore  # the one of the request's start: a reload never mixes two models in one answer
    items: Sequence[Item]
    answer: asyncio.Future[list[Result]]
    loop: asyncio.AbstractEventLoop
    context: Context  # has the request's id for the log


class MicroBatcher:
    """Scores for coroutines; each gets exactly what it would get alone."""

    def __init__(self) -> None:
        self._waiting = deque[_Asked]()
        self._turn = Condition()
        self._closed = False
        self._large = CapacityLimiter(LARGE_AT_ONCE)
        self._thread = Thread(target=self._run, name="yujing-small", daemon=True)
        self._thread.start()

    async def score(self, scorer: SupportsScore, items: Sequence[Item]) -> list[Result]:
        """One result per item, in order, as `score_aligned` gives them."""
        takes_long = len(items) > SMALL or any(item.explain for item in items) or _characters(items) > SMALL * USUAL
        if takes_long or (answer := self._ask(scorer, items)) is None:
            return await run_sync(score_aligned, scorer, items, limiter=self._large)
        return await answer

    def _ask(self, scorer: SupportsScore, items: Sequence[Item]) -> asyncio.Future[list[Result]] | None:
        """What the thread will answer; None once this is closed, as nobody would."""
        loop = asyncio.get_running_loop()
        asked = _Asked(scorer, items, loop.create_future(), loop, copy_context())
        with self._turn:
            if self._closed:
                return None
            self._waiting.append(asked)
            self._turn.notify()
        return asked.answer

    def close(self) -> None:
        """Answer what waits and end the thread."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._thread.join()

    def _run(self) -> None:
        while taken := self._take():
            taken[0].loop.call_soon_threadsafe(_tell, taken, _score(taken))

    def _take(self) -> list[_Asked]:
        """Those that wait for the scorer of the oldest, in order, up to ROWS items of USUAL length.

        Nothing once this is closed.
        """
        with self._turn:
            self._turn.wait_for(lambda: self._waiting or self._closed)
            taken, count, length = list[_Asked](), 0, 0
            while self._waiting:
                following = self._waiting[0]
                count, length = count + len(following.items), length + _characters(following.items)
                too_much = count > ROWS or length > ROWS * USUAL
                if taken and (too_much or following.scorer is not taken[0].scorer):
                    break
                taken.append(self._waiting.popleft())
            return taken


def _characters(items: Sequence[Item]) -> int:
    return sum(len(item.text or "") for item in items)


def _score(asked: Sequence[_Asked]) -> list[list[Result] | Exception]:
    """What each gets: results, or what its own call raises. Where one call for all fails, each has one of its own."""
    if len(asked) == 1:
        return [_alone(asked[0])]
    items, together = [item for one in asked for item in one.items], Reading()
    with suppress(BaseException):  # told of by the call that fails alone
        if len(found := _counted(together, asked[0].scorer, items)) == len(items):
            left = iter(found)
            for one in asked:
                one.context.run(_add, together)
            return [[*islice(left, len(one.items))] for one in asked]
    return [_alone(one) for one in asked]


def _counted(reading: Reading, scorer: SupportsScore, items: Sequence[Item]) -> list[Result]:
    token = READING.set(reading)
    try:
        return scorer.score(items)
    finally:
        READING.reset(token)


def _add(together: Reading) -> None:
    """What was read for all is told to each, in whose context this runs: their shares are alike."""
    if (mine := READING.get(None)) is not None:
        mine.add(together.read, together.known)


def _alone(one: _Asked) -> list[Result] | Exception:
    try:
        return one.context.run(score_aligned, one.scorer, one.items)
    except Exception as fault:  # results that belong to nobody: see `score_aligned`
        return fault
    except BaseException as fault:  # a panic of a library in Rust; without this thread nobody is answered
        return RuntimeError(type(fault).__name__)


def _tell(asked: Sequence[_Asked], found: Sequence[list[Result] | Exception]) -> None:
    """Hand out the results; who was cancelled meanwhile hears nothing."""
    for one, mine in zip(asked, found, strict=True):
        if one.answer.done():
            continue
        if isinstance(mine, Exception):
            one.answer.set_exception(mine)
        else:
            one.answer.set_result(mine)

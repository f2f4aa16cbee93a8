"""Threads that ask at the same time get what each would get alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import numpy as np
import pytest

from data.records import Item
from data.samples import sample_examples
from models.batching import Float, Ids, padded_length
from models.bundle import Bundle
from models.scorer import Scorer
from models.together import ROWS, TURN, TogetherEngine, _turns


class Sums:
    """Logits that tell the rows apart; the first call waits for `go`, a row of -1 is a fault."""

    def __init__(self) -> None:
        self.started, self.go = Event(), Event()
        self.calls: list[int] = []

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        self.calls.append(len(rows))
        self.started.set()
        assert self.go.wait(20)
        if [-1] in rows:
            raise ZeroDivisionError
        sums = np.array([[sum(row)] for row in rows], np.float32)
        return sums, -sums


def ask_while_busy(asked: list[list[list[int]]]) -> tuple[Sums, list[object]]:
    """The first one keeps the engine busy until all others wait."""
    inner = Sums()
    engine = TogetherEngine(inner)

    def one(rows: list[list[int]]) -> object:
        try:
            return engine.logits(rows)[0][:, 0].tolist()
        except ZeroDivisionError as fault:
            return fault

    with ThreadPoolExecutor(len(asked)) as pool:
        first = pool.submit(one, asked[0])
        assert inner.started.wait(20)
        others = [pool.submit(one, rows) for rows in asked[1:]]
        while len(engine._waiting) < len(others):
            pass
        inner.go.set()
        return inner, [first.result(), *(other.result() for other in others)]


def test_those_that_wait_run_as_one_batch_and_each_gets_its_own() -> None:
    inner, found = ask_while_busy([[[n], [n, n]] for n in range(6)])
    assert found == [[float(n), 2.0 * n] for n in range(6)]
    assert inner.calls == [2, 10]


def test_a_fault_is_only_its_callers() -> None:
    _, found = ask_while_busy([[[1]], [[2]], [[-1]], [[3]]])
    assert isinstance(found[2], ZeroDivisionError)
    assert [found[0], found[1], found[3]] == [[1.0], [2.0], [3.0]]


def test_a_merged_run_is_bounded() -> None:
    inner, found = ask_while_busy([[[1]], *([[[2]] * ROWS] * 3)])
    assert inner.calls == [1, ROWS, ROWS, ROWS]
    assert found[1:] == [[2.0] * ROWS] * 3


def test_a_call_of_many_tokens_takes_turns_and_its_rows_come_back_in_order() -> None:
    chance = np.random.default_rng(0)
    rows = [[int(value) for value in chance.integers(1, 9, length)] for length in chance.integers(1, 200, 60)]
    inner = Sums()
    inner.go.set()
    category, severity = TogetherEngine(inner).logits(rows)
    assert category[:, 0].tolist() == (-severity)[:, 0].tolist() == [float(sum(row)) for row in rows]
    assert sum(inner.calls) == len(rows)
    assert len(inner.calls) > sum(map(len, rows)) // TURN
    assert _turns([[1], [1, 2]]) == [[0, 1]]
    for turn in _turns(rows):
        assert len(turn) == 1 or sum(padded_length(len(rows[place])) for place in turn) <= TURN


def test_a_small_call_is_answered_between_the_turns_of_a_large_one() -> None:
    large, small = [[1] * TURN] * 6, [[5]]
    inner, asked = Sums(), list[int]()
    read = inner.logits

    def logits(rows: Ids) -> tuple[Float, Float]:
        asked.extend(row[0] for row in rows)
        return read(rows)

    inner.logits = logits  # type: ignore[method-assign]
    engine = TogetherEngine(inner)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(engine.logits, large)
        assert inner.started.wait(20)
        other = pool.submit(engine.logits, small)
        while not engine._waiting:
            sleep(0.001)
        inner.go.set()
        assert other.result(20)[0].tolist() == [[5.0]]
        assert first.result(20)[0][:, 0].tolist() == [float(TURN)] * 6
    assert asked == [1, 5, 1, 1, 1, 1, 1]


def test_a_fault_alone_is_raised() -> None:
    inner = Sums()
    inner.go.set()
    with pytest.raises(ZeroDivisionError):
        TogetherEngine(inner).logits([[-1]])


class Gated:
    """Each run waits for its own `go`; a row of -1 interrupts the thread that runs it, once."""

    def __init__(self, runs: int) -> None:
        self.begun, self.go = [Event() for _ in range(runs)], [Event() for _ in range(runs)]
        self.calls = 0

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        run, self.calls = self.calls, self.calls + 1
        self.begun[run].set()
        assert self.go[run].wait(20)
        if [-1] in rows and run == 1:
            raise KeyboardInterrupt
        sums = np.array([[sum(row)] for row in rows], np.float32)
        return sums, -sums


def _ask(engine: TogetherEngine, rows: list[list[int]]) -> list[float]:
    found: list[float] = engine.logits(rows)[0][:, 0].tolist()
    return found


def _when(ready: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if ready():
            return
        sleep(0.001)
    raise TimeoutError


def test_who_has_an_answer_leaves_while_the_next_run_is_under_way() -> None:
    inner, answered = Gated(8), list[list[float]]()
    engine = TogetherEngine(inner)
    for go in inner.go[3:]:
        go.set()

    def twice(n: int) -> list[float]:
        answered.append(_ask(engine, [[n]]))
        return _ask(engine, [[10 * n]])

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(_ask, engine, [[0]])
        assert inner.begun[0].wait(20)
        others = [pool.submit(twice, n) for n in (1, 2, 3)]
        _when(lambda: len(engine._waiting) == 3)
        inner.go[0].set()
        inner.go[1].set()  # the three as one batch; the first of them to leave begins the next run
        assert inner.begun[2].wait(20)
        try:
            _when(lambda: len(answered) == 3)
        finally:
            inner.go[2].set()
        assert sorted(answered) == [[1.0], [2.0], [3.0]]
        assert [one.result(20) for one in (first, *others)] == [[0.0], [10.0], [20.0], [30.0]]


def test_an_interrupted_run_loses_nobody_elses_call() -> None:
    inner = Gated(8)
    engine = TogetherEngine(inner)
    for go in inner.go[1:]:
        go.set()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(_ask, engine, [[0]])
        assert inner.begun[0].wait(20)
        merged = [pool.submit(_ask, engine, [[n]]) for n in (1, -1, 3)]
        _when(lambda: len(engine._waiting) == 3)
        inner.go[0].set()
        found = [one.exception(20) or one.result() for one in (first, *merged)]
    interrupted = [one for one in found if isinstance(one, KeyboardInterrupt)]
    assert len(interrupted) == 1  # the thread whose turn it was
    assert [one for one in found[1:] if one not in interrupted] == [
        [float(n)] for n, one in zip((1, -1, 3), found[1:], strict=True) if one not in interrupted
    ]
    assert not engine._waiting
    assert not engine._running


def test_many_calls_from_many_threads_each_get_their_own() -> None:
    inner = Sums()
    inner.go.set()
    engine = TogetherEngine(inner)

    def ask(n: int) -> object:
        try:
            return _ask(engine, [[n], [n, n]] if n % 7 else [[-1]])
        except ZeroDivisionError:
            return "fault"

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(400)))
    assert found == [[float(n), 2.0 * n] if n % 7 else "fault" for n in range(400)]


def test_a_shared_scorer_answers_as_before_from_many_threads(tiny_bundle: Bundle, tiny_scorer: Scorer) -> None:
    items = [Item(id=str(n), text=row.text) for n, row in enumerate(sample_examples()[:24])]
    wanted = tiny_scorer.score(items)
    shared = Scorer.load(tiny_bundle.folder, threads=1, shared=True)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda item: shared.score([item])[0], items))
    assert found == wanted

"""Threads that ask at the same time get what each would get alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from data.records import Item
from data.samples import sample_examples
from models.batching import Float, Ids
from models.bundle import Bundle
from models.scorer import Scorer
from models.together import ROWS, TogetherEngine


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


def test_a_fault_alone_is_raised() -> None:
    inner = Sums()
    inner.go.set()
    with pytest.raises(ZeroDivisionError):
        TogetherEngine(inner).logits([[-1]])


def test_a_shared_scorer_answers_as_before_from_many_threads(tiny_bundle: Bundle, tiny_scorer: Scorer) -> None:
    items = [Item(id=str(n), text=row.text) for n, row in enumerate(sample_examples()[:24])]
    wanted = tiny_scorer.score(items)
    shared = Scorer.load(tiny_bundle.folder, threads=1, shared=True)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda item: shared.score([item])[0], items))
    assert found == wanted

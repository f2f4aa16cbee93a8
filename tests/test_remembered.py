"""Reposts over HTTP: read once, and answered as if they were read each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

import numpy as np
import pytest
from stored import metric

from data.records import Item
from data.samples import sample_examples
from models.batching import Float, Ids
from models.bundle import Bundle
from models.remembering import RememberingEngine
from models.scorer import Scorer
from models.text import TextModel
from serving.live import load_tested
from serving.remembered import READING, Reading, remembering, tell
from serving.settings import Settings

FORGETFUL = 2


class Sums:
    """Logits that tell the row; keeps what it was asked. A row that begins with -1 fails, one with 0 is no number."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        self.asked += [list(row) for row in rows]
        if any(row[0] == -1 for row in rows):
            raise ZeroDivisionError
        sums = np.array([[sum(row) if row[0] else np.nan] for row in rows], np.float32)
        return np.hstack([sums, -sums]), sums + 1


def ask(engine: RememberingEngine, rows: Ids) -> list[list[float]]:
    category, severity = engine.logits(rows)
    assert category.dtype == severity.dtype == np.float32
    return np.hstack([category, severity]).tolist()


def answer(row: list[int]) -> list[float]:
    return [sum(row), -sum(row), sum(row) + 1]


def test_what_was_read_is_not_read_again_and_the_order_stays() -> None:
    inner = Sums()
    engine = RememberingEngine(inner, 10, tell)
    before = metric("yujing_engine_rows_total", source="memory")
    assert ask(engine, [[1, 2], [3]]) == [answer([1, 2]), answer([3])]
    assert ask(engine, [[4], [3], [2, 1], [1, 2], [4]]) == [*map(answer, ([4], [3], [2, 1], [1, 2], [4]))]
    assert ask(engine, [[3]]) == [answer([3])]
    assert inner.asked == [[1, 2], [3], [4], [2, 1]]
    assert metric("yujing_engine_rows_total", source="memory") == before + 4  # also what stands twice in one call


def test_a_request_hears_what_was_read_for_it_alone() -> None:
    engine = RememberingEngine(Sums(), 10, tell)
    engine.logits([[1]])
    mine, other = Reading(), Reading()
    for reading, rows in ((mine, [[1], [2], [3], [4]]), (other, [[4]])):
        context = copy_context()
        context.run(READING.set, reading)
        context.run(engine.logits, rows)
    assert (mine.share, other.share, Reading().share) == (0.75, 0, 1)


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    inner = Sums()
    engine = RememberingEngine(inner, FORGETFUL)
    for row in ([1], [2], [1], [3], [1], [2]):
        assert ask(engine, [row]) == [answer(row)]
    assert inner.asked == [[1], [2], [3], [2]]


def test_a_failure_and_what_is_no_number_are_asked_for_again() -> None:
    inner = Sums()
    engine = RememberingEngine(inner, 10, tell)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            engine.logits([[5], [-1]])
        assert np.isnan(engine.logits([[0, 1]])[0]).all()
    assert inner.asked == 2 * [[5], [-1], [0, 1]]


def test_what_is_kept_does_not_change_with_what_a_caller_does_to_its_own() -> None:
    engine = RememberingEngine(Sums(), 10, tell)
    for _ in range(3):
        category, severity = engine.logits([[7]])
        assert [*category[0], *severity[0]] == answer([7])
        category[:], severity[:] = 0, 0


def test_many_threads_each_get_their_own() -> None:
    engine = RememberingEngine(Sums(), 20)
    rows = [[n % 37, n % 5 + 1] for n in range(1, 600) if n % 37]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda row: ask(engine, [row, [1]]), rows)) == [[answer(row), answer([1])] for row in rows]


def _counting(scorer: Scorer) -> tuple[Scorer, list[list[int]]]:
    """The scorer with an engine that keeps what it is asked."""
    assert scorer.text is not None
    inner, asked = scorer.text.engine, list[list[int]]()

    class Counted:
        def logits(self, rows: Ids) -> tuple[Float, Float]:
            asked.extend(list(row) for row in rows)
            return inner.logits(rows)

    return replace(scorer, text=replace(scorer.text, engine=Counted())), asked


def test_answers_and_evidence_are_those_of_reading_each_time(tiny_scorer: Scorer) -> None:
    items = [Item(id=str(n), text=row.text, explain=n % 3 == 0) for n, row in enumerate(sample_examples()[:9])]
    counted, asked = _counting(tiny_scorer)
    remembered = remembering(counted, 1_000)
    for _ in range(2):
        assert remembered.score(items) == tiny_scorer.score(items)
    once = len(asked)
    reposts = [replace(item, text=f"@有人 {item.text}") for item in items if not item.explain]
    assert remembered.score(reposts) == tiny_scorer.score(reposts)  # a mention more: other tokens, read once
    assert len(asked) == once + len(reposts)
    moved = [replace(item, text=f"@别人 {item.text[4:]}") for item in reposts if item.text]
    assert remembered.score(moved) == tiny_scorer.score(moved)
    assert len(asked) == once + len(reposts)


def test_nothing_is_kept_where_nothing_shall_be(tiny_scorer: Scorer) -> None:
    assert remembering(tiny_scorer, 0) is tiny_scorer
    volumes_only = replace(tiny_scorer, text=None)
    assert remembering(volumes_only, 10) is volumes_only


def test_the_self_test_asks_the_engine_and_leaves_the_memory_empty(tiny_bundle: Bundle) -> None:
    before = metric("yujing_engine_rows_total", source="engine")
    scorer = load_tested(Settings(bundle=tiny_bundle.folder, threads=1)).scorer
    assert isinstance(scorer, Scorer)
    assert isinstance(scorer.text, TextModel)
    assert isinstance(scorer.text.engine, RememberingEngine)
    assert metric("yujing_engine_rows_total", source="engine") == before
    scorer.score([Item(text="买到假货")] * 2)
    assert metric("yujing_engine_rows_total", source="engine") == before + 1

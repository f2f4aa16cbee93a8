"""Engines around an engine: remembering changes no answer and repeats no work, counting counts what is run."""

from __future__ import annotations

import numpy as np
import pytest

from models.batching import TOKEN_BUDGET, Float, Ids, padded_length
from models.bundle import Bundle
from models.engine import Engine
from models.engine_build import load_text_model
from training.evaluate_engine import CountingEngine, RememberingEngine

ROWS = [[0, 5, 6, 2], [0, 7, 2], [0, 5, 6, 2], [0, 5, 6, 7, 8, 2]]


class Spy:
    """Keeps what it is asked."""

    def __init__(self, inner: Engine) -> None:
        self.inner, self.asked = inner, list[list[int]]()

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        self.asked += rows
        return self.inner.logits(rows)


@pytest.fixture
def engine(tiny_bundle: Bundle) -> Engine:
    return load_text_model(tiny_bundle, "torch", threads=1).engine


def test_what_is_known_is_not_asked_again(engine: Engine) -> None:
    spy = Spy(engine)
    remembering = RememberingEngine(spy)
    for _ in range(2):
        for got, expected in zip(remembering.logits(ROWS), engine.logits(ROWS), strict=True):
            assert np.allclose(got, expected, atol=1e-5)
    assert sorted(spy.asked) == sorted([ROWS[0], ROWS[1], ROWS[3]])
    remembering.logits([[0, 9, 2], ROWS[1]])
    assert spy.asked[3:] == [[0, 9, 2]]


def test_padding_is_counted_batch_by_batch(engine: Engine) -> None:
    counting = CountingEngine(engine)
    counting.logits(ROWS)
    short = sum(padded_length(len(row)) for row in ROWS)
    assert counting.tokens == short > sum(map(len, ROWS))
    long = TOKEN_BUDGET // 32
    counting.logits([[0, 2], *[[0] * long] * 33])  # two batches of the long rows, one of the short one
    assert counting.tokens == short + 33 * long + padded_length(2)

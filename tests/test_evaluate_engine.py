"""An engine around an engine: counting counts what is run."""

from __future__ import annotations

import pytest

from models.batching import TOKEN_BUDGET, padded_length
from models.bundle import Bundle
from models.engine import Engine
from models.engine_build import load_text_model
from training.evaluate_engine import CountingEngine

ROWS = [[0, 5, 6, 2], [0, 7, 2], [0, 5, 6, 2], [0, 5, 6, 7, 8, 2]]


@pytest.fixture
def engine(tiny_bundle: Bundle) -> Engine:
    return load_text_model(tiny_bundle, "torch", threads=1).engine


def test_padding_is_counted_batch_by_batch(engine: Engine) -> None:
    counting = CountingEngine(engine)
    counting.logits(ROWS)
    short = sum(padded_length(len(row)) for row in ROWS)
    assert counting.tokens == short > sum(map(len, ROWS))
    long = TOKEN_BUDGET // 32
    counting.logits([[0, 2], *[[0] * long] * 33])  # two batches of the long rows, one of the short one
    assert counting.tokens == short + 33 * long + padded_length(2)

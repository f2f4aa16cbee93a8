"""Batches lose nothing, mix nothing up and respect the budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.batching import batches, pad, padded_length, run

rows = st.lists(st.lists(st.integers(2, 99), min_size=1, max_size=30), min_size=1, max_size=40)


@given(rows, st.integers(1, 200))
def test_every_row_once_and_within_budget(found: list[list[int]], budget: int) -> None:
    parts = list(batches([len(row) for row in found], budget))
    assert sorted(i for part in parts for i in part) == list(range(len(found)))
    assert all(len(part) == 1 or len(part) * max(len(found[i]) for i in part) <= budget for part in parts)


@given(rows, st.integers(1, 200))
def test_a_row_meets_only_rows_of_its_padded_length(found: list[list[int]], budget: int) -> None:
    for part in batches([len(row) for row in found], budget):
        assert {padded_length(len(found[i])) for i in part} == {pad([found[i] for i in part], 1)[0].shape[1]}


@given(rows)
def test_the_callers_order_comes_back(found: list[list[int]]) -> None:
    def forward(ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (ids * mask).sum(1, keepdims=True), mask.sum(1, keepdims=True)

    sums, lengths = run(found, 1, forward)
    assert sums[:, 0].tolist() == [sum(row) for row in found]
    assert lengths[:, 0].tolist() == [len(row) for row in found]


def test_equal_rows_are_computed_once() -> None:
    computed: list[int] = []

    def forward(ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        computed.append(len(ids))
        return (ids * mask).sum(1, keepdims=True), mask.sum(1, keepdims=True)

    sums, _ = run([[5, 6], [7], [5, 6], [7], [8, 8, 8]], 1, forward)
    assert sums[:, 0].tolist() == [11, 7, 11, 7, 24]
    assert sum(computed) == 3


def test_a_length_is_padded_to_the_next_step_and_no_further() -> None:
    assert [padded_length(length) for length in (1, 3, 4, 5, 8, 9)] == [4, 4, 4, 8, 8, 12]


def test_padding_is_masked() -> None:
    ids, mask = pad([[5, 6], [7]], 1)
    assert ids.tolist() == [[5, 6, 1, 1], [7, 1, 1, 1]]
    assert mask.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]

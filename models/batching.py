"""Length-sorted batches under a token budget: hardly any padding, the caller's order comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[list[int]]
Int = NDArray[np.int64]
Float = NDArray[np.float32]

TOKEN_BUDGET = 4_096  # padded tokens of one batch


def batches(lengths: Sequence[int], budget: int = TOKEN_BUDGET) -> Iterator[list[int]]:
    """Positions in batches of similar length; rows x longest stays within the budget (one row always fits)."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[position] > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def pad(rows: Ids, pad_id: int) -> tuple[Int, Int]:
    """Input ids and attention mask, [rows, longest]."""
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), pad_id, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask


def run(rows: Ids, pad_id: int, forward: Callable[[Int, Int], tuple[Float, Float]]) -> tuple[Float, Float]:
    """Category and severity logits of all rows, in their order, by `forward` on one batch after another.

    Equal rows are computed once: reposts that differ only in what normalisation removes (links, mentions, full width).
    """
    seen: dict[tuple[int, ...], int] = {}
    which = [seen.setdefault(tuple(row), len(seen)) for row in rows]
    distinct = [list(row) for row in seen]
    order: list[int] = []
    parts: list[tuple[Float, Float]] = []
    for batch in batches([len(row) for row in distinct]):
        parts.append(forward(*pad([distinct[position] for position in batch], pad_id)))
        order += batch
    back = np.argsort(order)[which]
    category, severity = (np.concatenate(heads)[back] for heads in zip(*parts, strict=True))
    return category, severity

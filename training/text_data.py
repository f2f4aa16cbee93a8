"""Labelled posts as tensors: soft category targets, ordinal severity targets, batches padded to their longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from data.records import Example
from data.taxonomy import Taxonomy
from models.batching import pad
from models.classifier import IGNORED


def category_target(example: Example, taxonomy: Taxonomy, second_weight: float) -> list[float]:
    """Probability mass over the taxonomy; all zero where the label is missing, so that it drops out of the loss."""
    target = [0.0] * len(taxonomy.ids)
    if example.category is not None:
        target[taxonomy.index(example.category)] = 1.0
        if example.second is not None and example.second != example.category:
            target[taxonomy.index(example.category)] -= second_weight
            target[taxonomy.index(example.second)] += second_weight
    return target


def severity_target(rank: int | None, ranks: int) -> list[float]:
    """Targets of the continuation logits k: is rank > k+1, given rank > k; IGNORED where the condition fails."""
    if rank is None:
        return [IGNORED] * (ranks - 2)
    return [float(rank > k + 1) if rank > k else IGNORED for k in range(ranks - 2)]


def rank_of(severity: NDArray[np.floating], category: NDArray[np.floating]) -> NDArray[np.int64]:
    """The way back from targets to ranks: [n, ranks - 2] and [n, categories] -> [n]."""
    return np.asarray(np.where(category.argmax(1) == 0, 0, 1 + (severity == 1).sum(1)))


class Posts(Dataset[dict[str, Any]]):
    """Tokenised labelled posts."""

    def __init__(
        self, ids: list[list[int]], examples: Sequence[Example], taxonomy: Taxonomy, second_weight: float
    ) -> None:
        self.ids = ids
        self.category = [category_target(example, taxonomy, second_weight) for example in examples]
        self.severity = [severity_target(example.severity, len(taxonomy.severities)) for example in examples]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {
            "input_ids": self.ids[index],
            "category_target": self.category[index],
            "severity_target": self.severity[index],
            "length": len(self.ids[index]),
        }


@dataclass(frozen=True, slots=True)
class Collator:
    """Pads a batch to its longest post."""

    pad: int

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        ids, mask = pad([row["input_ids"] for row in rows], self.pad)
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "category_target": torch.tensor([row["category_target"] for row in rows]),
            "severity_target": torch.tensor([row["severity_target"] for row in rows]),
        }


def class_weights(examples: Sequence[Example], taxonomy: Taxonomy, power: float) -> torch.Tensor:
    """Weights ~ count ** -power with mean 1 over the rows: [categories]."""
    positions = [taxonomy.index(example.category) for example in examples if example.category is not None]
    counts = np.maximum(np.bincount(positions, minlength=len(taxonomy.ids)), 1)
    weights = counts**-power
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)

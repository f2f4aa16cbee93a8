"""Intervals by resampling whole groups (near-duplicates, topics, days): rows of a group are not independent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Resampler:
    """Draws rows by whole groups; the same seed gives the same draws, so that models are compared on equal draws."""

    def __init__(self, groups: NDArray[Any]) -> None:
        _, labels = np.unique(groups, return_inverse=True)
        self.order = np.argsort(labels, kind="stable")
        self.sizes = np.bincount(labels)
        self.starts = np.cumsum(self.sizes) - self.sizes

    def draw(self, random: np.random.Generator) -> NDArray[np.intp]:
        """Row numbers of as many groups as there are, drawn with replacement."""
        chosen = random.integers(len(self.sizes), size=len(self.sizes))
        sizes, starts = self.sizes[chosen], self.starts[chosen]
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.asarray(self.order[np.repeat(starts, sizes) + inside])


def interval(
    statistic: Callable[..., float],
    *arrays: NDArray[Any],
    groups: NDArray[Any] | None = None,
    n: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """`statistic(*arrays)` with a percentile bootstrap interval (Efron 1979); draws where it is nan are left out.

    Arrays share their first length; rows of one group are drawn together (without groups each row is its own).
    """
    value = float(statistic(*arrays))
    resampler = Resampler(np.arange(len(arrays[0])) if groups is None else groups)
    random = np.random.default_rng(seed)
    draws = np.empty(n)
    for i in range(n):
        rows = resampler.draw(random)
        draws[i] = statistic(*(array[rows] for array in arrays))
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))

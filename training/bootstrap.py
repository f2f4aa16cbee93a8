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

    @property
    def rounded(self) -> list[float]:
        """[value, low, high] to 4 digits, as the JSON of the reports has it."""
        return [round(x, 4) for x in (self.value, self.low, self.high)]


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


def _percentiles(draws: NDArray[Any], level: float) -> tuple[float, float]:
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return float("nan"), float("nan")
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def intervals(
    statistic: Callable[..., NDArray[Any]],
    *arrays: NDArray[Any],
    groups: NDArray[Any] | None = None,
    n: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> list[Interval]:
    """One interval for each of the k figures that `statistic(*arrays)` gives at once, all from the same draws.

    Percentile bootstrap (Efron 1979); draws where a figure is nan are left out of its interval. Arrays share their
    first length; rows of one group are drawn together (without groups each row is its own).
    """
    values = statistic(*arrays)
    resampler = Resampler(np.arange(len(arrays[0])) if groups is None else groups)
    random = np.random.default_rng(seed)
    draws = np.empty((n, len(values)))
    for i in range(n):
        rows = resampler.draw(random)
        draws[i] = statistic(*(array[rows] for array in arrays))
    return [Interval(float(value), *_percentiles(draws[:, i], level)) for i, value in enumerate(values)]


def interval(
    statistic: Callable[..., float],
    *arrays: NDArray[Any],
    groups: NDArray[Any] | None = None,
    n: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """`intervals` for a statistic that gives a single figure."""

    def one(*parts: NDArray[Any]) -> NDArray[Any]:
        return np.array([statistic(*parts)])

    return intervals(one, *arrays, groups=groups, n=n, seed=seed, level=level)[0]

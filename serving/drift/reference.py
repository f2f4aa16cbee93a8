"""Reference statistics: what posts and answers look like where all is well, as a small JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field, FiniteFloat

from data.errors import ConfigError, CorpusError, InputError
from data.rim import parse
from serving.drift.observation import Observation

BINS = 10  # of a histogram: equal shares of the reference posts
MIN_POSTS = 300  # below that, chance alone looks like drift
HISTOGRAMS = ("length", "confidence")
MEANS = ("confidence", "unknown_tokens", "unknown_words", "needs_review")

Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts[i]` posts lie in `[edges[i-1], edges[i])`; the first and the last bin have no outer edge."""

    edges: tuple[FiniteFloat, ...]
    counts: tuple[Count, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges need {len(self.edges) + 1} counts, got {len(self.counts)}")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges must rise")


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation over posts."""

    mean: FiniteFloat
    sd: Annotated[FiniteFloat, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Statistics of `posts` posts, as `model` answered them."""

    format: Literal[1] = 1
    model: str
    made_at: AwareDatetime
    posts: Annotated[int, Field(ge=MIN_POSTS)]
    category: dict[str, Count]
    histograms: dict[str, Histogram]
    means: dict[str, Moments]

    def __post_init__(self) -> None:
        if missing := [*({*HISTOGRAMS} - {*self.histograms}), *({*MEANS} - {*self.means})]:
            raise ValueError(f"lacks {', '.join(missing)}: make it again with `yujing drift reference`")
        mixes = {"category": self.category.values(), **{name: one.counts for name, one in self.histograms.items()}}
        if odd := [name for name, mix in mixes.items() if sum(mix) != self.posts]:
            raise ValueError(f"{', '.join(odd)}: the counts must sum to its {self.posts} posts")

    def dumps(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, default=str) + "\n"


def column(observations: Sequence[Observation], name: str) -> NDArray[np.float64]:
    """One number of every observation: [n]."""
    return np.array([getattr(one, name) for one in observations], dtype=np.float64)


def counts(values: NDArray[np.float64], edges: Sequence[float] | NDArray[np.float64]) -> list[int]:
    """Values per bin: [edges + 1]."""
    return [int(n) for n in np.bincount(np.digitize(values, np.asarray(edges, np.float64)), minlength=len(edges) + 1)]


def _histogram(values: NDArray[np.float64]) -> Histogram:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]).round(4))
    return Histogram(tuple(map(float, edges)), tuple(counts(values, edges)))


def make_reference(observations: Sequence[Observation], model: str) -> Reference:
    """Statistics of observed posts; CorpusError when they are too few."""
    if len(observations) < MIN_POSTS:
        raise CorpusError(f"{len(observations)} posts were scored: a reference needs at least {MIN_POSTS}")
    columns = {name: column(observations, name) for name in {*HISTOGRAMS, *MEANS}}
    return Reference(
        model=model,
        made_at=datetime.now(UTC).replace(microsecond=0),
        posts=len(observations),
        category=dict(sorted(Counter(one.category for one in observations).items())),
        histograms={name: _histogram(columns[name]) for name in HISTOGRAMS},
        means={
            name: Moments(round(float(columns[name].mean()), 6), round(float(columns[name].std()), 6)) for name in MEANS
        },
    )


def read_reference(raw: object, where: str) -> Reference:
    """A reference from parsed JSON; ConfigError names `where` it came from."""
    try:
        return parse(Reference, raw)
    except InputError as error:
        raise ConfigError(f"{where}: no reference statistics: {error}") from None


def load_reference(path: Path, where: str = "") -> Reference:
    """Read a reference from a JSON file; ConfigError, which names `where` (else the path), when it is none."""
    where = where or str(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: {error}: name a file made by `yujing drift reference`") from None
    return read_reference(raw, where)

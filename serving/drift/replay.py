"""False alarms on posts that are alike: one half is the reference, windows of the other half are compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from data.errors import CorpusError
from serving.drift.compare import NAMES, State, Statistic, compare, worst
from serving.drift.observation import Observation
from serving.drift.reference import MIN_POSTS, make_reference


@dataclass(frozen=True, slots=True)
class Replay:
    """All statistics of every window."""

    windows: list[list[Statistic]]

    def states(self, name: str | None = None) -> Counter[State]:
        """How many windows had which state, of one statistic or (None) as a whole."""
        named = ([one.state for one in window if name in (None, one.name)] for window in self.windows)
        return Counter(map(worst, named))

    def largest(self, name: str) -> float:
        """The value furthest from zero over the windows."""
        return max((one.value for window in self.windows for one in window if one.name == name), key=abs)


def replay(observations: Sequence[Observation], size: int, draws: int, seed: int) -> Replay:
    """Draw `draws` windows of `size` posts (with replacement) from one random half; CorpusError for too few posts."""
    if len(observations) < 2 * MIN_POSTS:
        raise CorpusError(
            f"{len(observations)} posts were scored: a replay needs at least {2 * MIN_POSTS}, half of them as reference"
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(observations))
    first, second = ([observations[i] for i in part] for part in np.array_split(order, 2))
    reference = make_reference(first, "replay")
    drawn = (rng.integers(len(second), size=size) for _ in range(draws))
    return Replay([compare(reference, [second[i] for i in rows]) for rows in drawn])


def replay_table(found: Replay) -> Table:
    """One line per statistic, and one for the whole."""
    table = Table(title=f"{len(found.windows)} windows", title_justify="left")
    for name in ("statistic", "furthest value", "warnings", "alarms"):
        table.add_column(name, justify="left" if name == "statistic" else "right")
    for name in NAMES:
        states = found.states(name)
        table.add_row(name, f"{found.largest(name):+.3f}", str(states["warning"]), str(states["alarm"]))
    states = found.states()
    table.add_row("any of them", "", str(states["warning"]), str(states["alarm"]))
    return table

"""How far a second annotation agrees with the labels of a corpus: `python -m training.agreement`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from sklearn.metrics import cohen_kappa_score

from data.command_line import run_function
from data.errors import CorpusError
from data.records import Example
from data.taxonomy import Taxonomy, load_taxonomy
from training.corpus import fully_labelled
from training.metrics import accuracy, qwk
from training.posts import load_posts
from training.text_config import POSTS

CONTROLS = "data/annotated/controls.csv"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares of rows with one category (also counting the second one) and one rank, Cohen's kappa, QWK of the ranks."""

    rows: int
    category: float
    with_second: float
    kappa: float
    severity: float
    qwk: float


def agreement(first: Sequence[Example], second: Sequence[Example]) -> Agreement:
    """Of two annotations of the same posts, paired by id; CorpusError when none is shared."""
    other = {row.id: row for row in second if fully_labelled(row)}
    pairs = [(row, other[row.id]) for row in first if row.id in other and fully_labelled(row)]
    if not pairs:
        raise CorpusError("the two files share no labelled id: give labels of the same posts")
    names, again = (np.array([pair[i].category for pair in pairs]) for i in (0, 1))
    ranks, later = (np.array([pair[i].severity for pair in pairs]) for i in (0, 1))
    either = [b.category in (a.category, a.second) or a.category == b.second for a, b in pairs]
    return Agreement(
        rows=len(pairs),
        category=accuracy(names, again),
        with_second=float(np.mean(either)),
        kappa=float(cohen_kappa_score(names, again)),
        severity=accuracy(ranks, later),
        qwk=qwk(ranks, later),
    )


def controls(taxonomy: Taxonomy, path: str = CONTROLS, posts: Sequence[str] = POSTS) -> Agreement:
    """Of our annotators with the corpus, on posts that were mixed unseen into what they read."""
    quiet = Console(quiet=True)
    corpus = load_posts(posts, taxonomy, quiet)
    return agreement(corpus, load_posts([path], taxonomy, quiet, {row.id: row for row in corpus}))


def command() -> None:
    """Tell how far the annotators of the project agree with the labels of its corpus."""
    Console().print(asdict(controls(load_taxonomy())))


if __name__ == "__main__":
    run_function(command)

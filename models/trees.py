"""Trees that come from a file, looked at before they run: scikit-learn follows their indices without a check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor


def _inside(part: object) -> Iterable[object]:
    """What an estimator or a container is made of."""
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, list | tuple | set | frozenset):
        return part
    if isinstance(part, np.ndarray) and part.dtype == object:
        return [*part.flat]
    if type(part).__module__.startswith("sklearn."):
        return getattr(part, "__dict__", {}).values()
    return ()


def trees_of(part: object, columns: int = 0) -> Iterator[tuple[TreePredictor, int]]:
    """Every tree inside an estimator, with the number of columns that its booster was fitted on (0 outside of one)."""
    if isinstance(part, TreePredictor):
        yield part, columns
        return
    if isinstance(part, HistGradientBoostingClassifier):
        columns = vars(part).get("n_features_in_", 0)
    for inner in _inside(part):
        yield from trees_of(inner, columns)


def boosters_of(part: object) -> Iterator[Any]:
    """Every boosted sum of trees inside an estimator."""
    if isinstance(part, HistGradientBoostingClassifier):
        yield part
        return
    for inner in _inside(part):
        yield from boosters_of(inner)


def reads(booster: Any, columns: int) -> bool:
    """Whether a booster itself refuses anything but `columns` columns, and hands them to its trees as they are.

    scikit-learn compares the columns that come with the booster's own number only where it has one.
    """
    own = vars(booster)
    count = own.get("n_features_in_")
    return type(count) is int and count == columns and own.get("_preprocessor", booster) is None


def is_sound(tree: TreePredictor, columns: int) -> bool:
    """Whether each inner node asks for a column that exists and leads on to later nodes of the same tree."""
    nodes = tree.nodes
    place = np.flatnonzero(nodes["is_leaf"] == 0)
    inner = nodes[place]
    inside = (inner["feature_idx"] >= 0) & (inner["feature_idx"] < columns)
    for side in ("left", "right"):
        inside &= (inner[side] > place) & (inner[side] < len(nodes))
    inside &= inner["is_categorical"] == 0  # our heads have none, and its sets lie in yet other places
    return len(nodes) > 0 and bool(inside.all())

"""Trees that come from a file, looked at before they run: scikit-learn follows their indices without a check."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor


def trees_of(part: object, columns: int = 0) -> Iterator[tuple[TreePredictor, int]]:
    """Every tree inside an estimator, with the number of columns that its owner was fitted on."""
    if isinstance(part, TreePredictor):
        yield part, columns
    elif isinstance(part, dict):
        for value in part.values():
            yield from trees_of(value, columns)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from trees_of(value, columns)
    elif isinstance(part, np.ndarray) and part.dtype == object:
        yield from trees_of([*part.flat], columns)
    elif type(part).__module__.startswith("sklearn."):
        own = getattr(part, "__dict__", {})
        yield from trees_of(own, own.get("n_features_in_", columns))


def is_sound(tree: TreePredictor, columns: int) -> bool:
    """Whether each inner node asks for a column that exists and leads on to later nodes of the same tree."""
    nodes, bits = tree.nodes, len(tree.raw_left_cat_bitsets)
    place = np.flatnonzero(nodes["is_leaf"] == 0)
    inner = nodes[place]
    inside = (inner["feature_idx"] >= 0) & (inner["feature_idx"] < columns)
    for side in ("left", "right"):
        inside &= (inner[side] > place) & (inner[side] < len(nodes))
    sorts = (inner["is_categorical"] == 0) | (inner["bitset_idx"] < bits)
    return len(nodes) > 0 and bool((inside & sorts).all())

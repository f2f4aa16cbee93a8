"""The trees of a head as a few long arrays: as thousands of small ones they took nine tenths of the time of reading it.

A booster in a packed head has the places of its trees in the arrays instead of the trees: [iterations, classes].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from models.trees import boosters_of

Array = NDArray[Any]
Parts = TypeVar("Parts")
SETS = {"binned_left_cat_bitsets": "binned", "raw_left_cat_bitsets": "raw"}  # of a tree, and here


def pack(parts: Parts) -> tuple[Parts, dict[str, Array]]:
    """A copy of `parts` without its trees, and these: `nodes` of all trees in a row, the same for the `binned` and
    the `raw` sets of categories, and how many of each a tree has. No arrays where there is no tree."""
    parts = deepcopy(parts)
    trees: dict[int, TreePredictor] = {}
    for booster in boosters_of(parts):
        if isinstance(booster._predictors, list):  # else met before: a stack holds its parts in several places
            trees |= {id(tree): tree for step in booster._predictors for tree in step}
    places = {known: place for place, known in enumerate(trees)}
    for booster in boosters_of(parts):
        if isinstance(booster._predictors, list):
            booster._predictors = np.array([[places[id(tree)] for tree in step] for step in booster._predictors])
    return parts, _arrays([*trees.values()]) if trees else {}


def _arrays(trees: Sequence[TreePredictor]) -> dict[str, Array]:
    nodes = np.empty(sum(len(tree.nodes) for tree in trees), trees[0].nodes.dtype)
    np.concatenate([tree.nodes for tree in trees], out=nodes)  # without `out` the layout of a node could change
    sets = {name: np.concatenate([getattr(tree, whole) for tree in trees]) for whole, name in SETS.items()}
    counts = {
        "node_counts": np.array([len(tree.nodes) for tree in trees]),
        "set_counts": np.array([len(tree.raw_left_cat_bitsets) for tree in trees]),
    }
    return {"nodes": nodes, **sets, **counts}


def unpack(parts: object, arrays: Mapping[str, Array]) -> None:
    """Give the boosters inside `parts` their trees back, which share the memory of `arrays`; any exception when the
    arrays are none of `pack`. Whether the trees are sound is for `models.trees` to say."""
    ends, set_ends = np.cumsum(arrays["node_counts"])[:-1], np.cumsum(arrays["set_counts"])[:-1]
    sets = (np.split(arrays[name], set_ends) for name in SETS.values())
    trees = [TreePredictor(*one) for one in zip(np.split(arrays["nodes"], ends), *sets, strict=True)]
    for booster in boosters_of(parts):
        if isinstance(booster._predictors, np.ndarray):
            booster._predictors = [[trees[place] for place in step] for step in booster._predictors.tolist()]

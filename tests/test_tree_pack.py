"""Laws of packed trees: what comes back answers to the bit, the model stays as it was, foreign arrays are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from models.tree_pack import pack, unpack
from models.trees import boosters_of, is_sound, trees_of

RNG = np.random.default_rng(7)
X = RNG.integers(0, 9, (400, 4)).astype(float)
Y = (X[:, 0] + X[:, 3] + RNG.normal(size=400) > 9) ^ (X[:, 1] == 4)


def _stack(classes: int = 2) -> StackingClassifier:
    trees = HistGradientBoostingClassifier(max_iter=3, categorical_features=[1]).fit(X, (Y + X[:, 2]) % classes)
    parts = [("trees", FrozenEstimator(trees)), ("line", LogisticRegression())]
    return StackingClassifier(parts, cv=2).fit(X, (Y + X[:, 2]) % classes)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_round_trip_answers_to_the_bit_and_leaves_the_model_alone(classes: int) -> None:
    model = _stack(classes)
    wanted, trees = model.predict_proba(X), [*trees_of(model)]
    packed, arrays = pack({"main": model, "names": ("a", "b")})
    assert [*trees_of(packed)] == []
    assert [(id(tree), columns) for tree, columns in trees_of(model)] == [(id(tree), n) for tree, n in trees]
    unpack(packed, arrays)
    assert np.array_equal(packed["main"].predict_proba(X), wanted)
    assert packed["names"] == ("a", "b")
    found = [*trees_of(packed)]
    assert len(found) == len(trees)
    assert len({id(tree) for tree, _ in found}) == len({id(tree) for tree, _ in trees})
    assert {columns for _, columns in found} == {columns for _, columns in trees}
    for (ours, _), (theirs, _) in zip(found, trees, strict=True):
        assert np.array_equal(ours.nodes, theirs.nodes)
        assert np.array_equal(ours.raw_left_cat_bitsets, theirs.raw_left_cat_bitsets)


def test_a_tree_is_packed_once_wherever_it_lies() -> None:
    model = _stack()
    _, arrays = pack([model, model, {"again": model}])
    assert len(arrays["node_counts"]) == len({id(tree) for tree, _ in trees_of(model)}) == 3


def test_without_trees_there_is_nothing_to_pack() -> None:
    line = LogisticRegression().fit(X, Y)
    packed, arrays = pack([line])
    assert arrays == {}
    assert np.array_equal(packed[0].predict_proba(X), line.predict_proba(X))


@pytest.mark.parametrize("places", [[[3]], [[0.5]], [0], [["one"]]])
def test_places_that_are_none_are_an_error(places: list[Any]) -> None:
    packed, arrays = pack(_stack())
    for booster in boosters_of(packed):
        booster._predictors = np.array(places)
    with pytest.raises((IndexError, TypeError)):
        unpack(packed, arrays)


@pytest.mark.parametrize("counts", [[0, 0, 0], [10_000, 1, 1], [1, 1, 1], [-1, -1, 5]])
def test_trees_cut_elsewhere_are_not_sound(counts: list[int]) -> None:
    packed, arrays = pack(_stack())
    unpack(packed, arrays | {"node_counts": np.array(counts)})
    assert not all(is_sound(tree, columns) for tree, columns in trees_of(packed))

"""Laws of trees from a file: those that a fit made are sound, and an index that leads astray is found."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.trees import boosters_of, is_sound, reads, trees_of

COLUMNS = 4


def _fitted() -> CalibratedClassifierCV:
    rng = np.random.default_rng(7)
    x = rng.integers(0, 9, (400, COLUMNS)).astype(float)
    y = (x[:, 0] + x[:, 3] + rng.normal(size=400) > 9) ^ (x[:, 1] == 4)
    trees = HistGradientBoostingClassifier(max_iter=3)
    return CalibratedClassifierCV(FrozenEstimator(make_pipeline(StandardScaler(), trees).fit(x, y))).fit(x, y)


def test_every_tree_of_a_fit_is_found_and_sound() -> None:
    hidden = np.array([_fitted(), None], object), {*_fitted().calibrated_classifiers_}  # in a crafted file
    found = [
        *trees_of([_fitted(), {"other": (_fitted(),)}, hidden, {_fitted().calibrated_classifiers_[0]}, 5, "words"])
    ]
    assert len(found) >= 9
    assert {columns for _, columns in found} == {COLUMNS}
    assert all(is_sound(tree, columns) for tree, columns in found)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("feature_idx", COLUMNS),
        ("feature_idx", -1),
        ("left", 0),  # its own parent: predicting would never end
        ("right", 10_000),
    ],
)
def test_an_index_that_leads_astray_is_found(field: str, value: int) -> None:
    tree, columns = next(trees_of(_fitted()))
    spoilt = deepcopy(tree)
    spoilt.nodes[field][0] = value
    assert is_sound(tree, columns)
    assert not is_sound(spoilt, columns)


def test_a_node_that_asks_for_a_set_of_categories_is_not_sound() -> None:
    tree, columns = next(trees_of(_fitted()))
    spoilt = deepcopy(tree)
    spoilt.nodes["is_categorical"][0] = 1
    assert not is_sound(spoilt, columns)


def test_a_tree_outside_of_a_booster_has_no_columns() -> None:
    tree, columns = next(trees_of(_fitted()))
    assert is_sound(tree, columns)
    assert [count for _, count in trees_of([tree])] == [0]
    assert not is_sound(tree, 0)


@pytest.mark.parametrize("count", [None, COLUMNS - 1, 10**9, float(COLUMNS), "4"])
def test_a_booster_must_know_its_columns_itself(count: object) -> None:
    model = _fitted()
    boosters = [*boosters_of(model)]
    assert all(reads(one, COLUMNS) for one in boosters)
    for one in boosters:
        if count is None:
            vars(one).pop("n_features_in_", None)  # a booster lies in several places
        else:
            one.n_features_in_ = count
        assert not reads(one, COLUMNS)
    if count is None:  # whatever those around it say
        assert not any(is_sound(tree, columns) for tree, columns in trees_of(model))


def test_a_booster_that_changes_its_columns_first_is_found() -> None:
    booster = next(iter(boosters_of(_fitted())))
    booster._preprocessor = StandardScaler()
    assert not reads(booster, COLUMNS)
    del booster._preprocessor
    assert not reads(booster, COLUMNS)


def test_a_tree_without_nodes_is_not_sound() -> None:
    tree, columns = next(trees_of(_fitted()))
    tree.nodes = tree.nodes[:0]
    assert not is_sound(tree, columns)

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

from models.trees import is_sound, trees_of

COLUMNS = 4


def _fitted() -> CalibratedClassifierCV:
    rng = np.random.default_rng(7)
    x = rng.integers(0, 9, (400, COLUMNS)).astype(float)
    y = (x[:, 0] + x[:, 3] + rng.normal(size=400) > 9) ^ (x[:, 1] == 4)
    trees = HistGradientBoostingClassifier(max_iter=3, categorical_features=[1])
    return CalibratedClassifierCV(FrozenEstimator(make_pipeline(StandardScaler(), trees).fit(x, y))).fit(x, y)


def test_every_tree_of_a_fit_is_found_and_sound() -> None:
    hidden = np.array([_fitted(), None], object)  # what a crafted file may hold instead of a list
    found = [*trees_of([_fitted(), {"other": (_fitted(),)}, hidden, 5, "words"])]
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


def test_a_set_of_categories_that_is_not_there_is_found() -> None:
    tree, columns = next((t, c) for t, c in trees_of(_fitted()) if t.nodes["is_categorical"].any())
    spoilt = deepcopy(tree)
    spoilt.raw_left_cat_bitsets = spoilt.raw_left_cat_bitsets[:0]
    assert not is_sound(spoilt, columns)


def test_a_tree_without_nodes_is_not_sound() -> None:
    tree, columns = next(trees_of(_fitted()))
    tree.nodes = tree.nodes[:0]
    assert not is_sound(tree, columns)

"""The longer horizon of the hotlist head, and an ablation that never sees the test block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hot_list import CONFIG, model, trained

from models.hotlist import DAY
from models.hotlist_words import HOT_GROUPS
from training.hotlist_evaluate import _without, ablation


def test_the_longer_horizon_is_never_less_likely_and_never_resolved_wrongly() -> None:
    decisions, where = trained()
    known = ~np.isnan(decisions.day_labels)
    assert (decisions.day_labels[known] >= decisions.labels[known]).all()
    assert (decisions.day_labels[known] == (decisions.alarm <= decisions.time + DAY)[known]).all()
    rows = decisions.features[where.test][:200]
    inside = np.ones(len(rows), bool)
    likelihood = model().probabilities(rows, inside)
    for outlook, six in zip(model().outlooks(rows, inside, likelihood), likelihood, strict=True):
        assert outlook is not None
        assert outlook.horizon_hours == DAY
        assert outlook.probability >= round(six, 4)
        assert outlook.lift == pytest.approx(outlook.probability / model().day_base_rate, abs=0.1)
    assert model().outlooks(rows, ~inside, likelihood) == [None] * len(rows)


def test_an_ablation_leaves_each_group_out_before_the_test_block() -> None:
    decisions, _ = trained()
    config = replace(CONFIG, fold_days=12, calibration_days=8, iterations=5)
    found = ablation(decisions, config)
    assert set(found) == {"all features", *(f"without {group}" for group in HOT_GROUPS)}
    later = decisions.features.copy()
    later[decisions.time >= decisions.time.max() - 24 * 5] = 9.0  # inside the test block
    assert ablation(replace(decisions, features=later), config) == found
    for group, prefixes in HOT_GROUPS.items():
        left = [decisions.names[i] for i in _without(decisions.names, group)]
        assert not any(name.startswith(prefixes) for name in left)

"""Rolling origins beside the test block: they fit in before it, and one that is too small costs no finished fit."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from self_exciting import CONFIG, trained

from data.errors import ConfigError
from training.escalation import FOLD, ends_of_folds, rolling, train_escalation


@pytest.mark.parametrize(("test", "most"), [(0.25, 7), (0.2, 7), (0.3, 6), (0.85, 1)])
def test_folds_end_before_the_test_block_and_begin_after_some_topics(test: float, most: int) -> None:
    ends = ends_of_folds(replace(CONFIG, test=test, folds=most))
    assert ends[-1] == pytest.approx(1 - test)
    assert ends[0] - FOLD > 0.01
    with pytest.raises(ConfigError, match=f"folds={most + 1}: .* at most {most} fit"):
        ends_of_folds(replace(CONFIG, test=test, folds=most + 1))


def test_too_many_are_refused_before_anything_is_read_or_fitted() -> None:
    with pytest.raises(ConfigError, match="folds=8"):
        train_escalation(replace(CONFIG, folds=8, series=("nowhere.jsonl",)), Console(quiet=True))


def test_an_origin_with_too_few_topics_is_told_and_left_out() -> None:
    topics, decisions, _, _ = trained()
    told = Console(file=io.StringIO(), width=300)
    config = replace(CONFIG, folds=7, iterations=3, record=None)
    found = rolling(topics, decisions, config, told)
    said = told.file.getvalue()  # type: ignore[attr-defined]
    assert "left out the rolling origin at 5% of the topics: " in said
    assert 0 < len(found) == 7 - said.count("left out")
    assert all(fold["rows"] > 0 for fold in found)

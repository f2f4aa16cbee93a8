"""Agreement of two annotations, and what the shipped annotations reach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import CorpusError
from data.records import Example
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from training.agreement import CONTROLS, agreement, controls

TAXONOMY = load_taxonomy()
FIRST = [
    Example(id="a", text="甲", category="none", severity=0),
    Example(id="b", text="乙", category="other", severity=1, second="labor_governance"),
    Example(id="c", text="丙", category="other", severity=3),
    Example(id="d", text="丁", category="fraud_funds", severity=2),
]


def test_a_worked_example() -> None:
    second = [FIRST[0], replace(FIRST[1], category="labor_governance", second=None), replace(FIRST[2], severity=2)]
    found = agreement(FIRST, second)
    assert found.rows == 3
    assert found.category == pytest.approx(2 / 3)
    assert found.with_second == 1
    assert found.severity == pytest.approx(2 / 3)
    assert found.kappa == pytest.approx((2 / 3 - 3 / 9) / (1 - 3 / 9))  # by chance: 1/3 · 1/3 + 2/3 · 1/3 = 3/9
    assert found.qwk == pytest.approx(1 - 1 / (0 + 1 + 4 + 1 + 0 + 1 + 9 + 4 + 1) * 3)


def test_the_same_labels_agree_and_strangers_are_refused() -> None:
    rows = sample_examples()
    assert agreement(rows, rows[::-1]).kappa == 1
    with pytest.raises(CorpusError, match="share no labelled id"):
        agreement(rows, [replace(row, id=f"x{row.id}") for row in rows])


def test_our_annotations_agree_with_the_corpus(shared_data: Path) -> None:
    found = controls(TAXONOMY, CONTROLS, [str(shared_data / "posts.jsonl")])
    assert found.rows >= 400
    assert found.kappa > 0.85
    assert found.qwk > 0.9

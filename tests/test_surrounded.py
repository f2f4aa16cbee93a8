"""Training rows among ordinary ones: labels stay, graver rows come more often, the seed decides."""

from __future__ import annotations

from collections import Counter

import pytest

from data.errors import ConfigError
from data.records import Example
from data.samples import sample_examples
from training.config import load_config
from training.surrounded import LONGEST, SHORTEST, all_surrounded, ordinary_texts, surrounded_rows
from training.text_config import TextConfig

ROWS = sample_examples()


def test_ordinary_are_short_texts_without_harm() -> None:
    found = ordinary_texts(ROWS)
    harmless = {row.text for row in ROWS if row.category == "none"}
    assert found
    assert harmless.issuperset(found)
    assert all(SHORTEST <= len(text) <= LONGEST for text in found)


def test_rows_keep_their_labels_within_a_longer_text() -> None:
    by_id = {row.id: row for row in ROWS}
    rows = surrounded_rows(ROWS, 0.25, seed=1)
    assert len(rows) == round(0.25 * len(ROWS))
    for row in rows:
        plain = by_id[row.id]
        assert plain.text in row.text
        assert (row.category, row.severity, row.second) == (plain.category, plain.severity, plain.second)
    assert sum(len(row.text) > len(by_id[row.id].text) for row in rows) > 0.9 * len(rows)


def test_the_seed_decides() -> None:
    assert surrounded_rows(ROWS, 0.2, seed=1) == surrounded_rows(ROWS, 0.2, seed=1)
    assert surrounded_rows(ROWS, 0.2, seed=1) != surrounded_rows(ROWS, 0.2, seed=2)


def test_graver_rows_come_more_often() -> None:
    rows = [
        Example(id=str(i), text=f"第{i}条帖子的内容", category=c, severity=s)
        for i, (c, s) in enumerate([("none", 0), ("fraud_funds", 4)] * 500)
    ]
    drawn = Counter(row.severity for row in surrounded_rows(rows, 0.2, seed=0))
    assert 3 < drawn[4] / drawn[0] < 8


def test_rows_without_a_severity_are_left_out_and_none_is_none() -> None:
    bare = [Example(id="a", text="没有级别的一条", category="fraud_funds", severity=None)]
    assert surrounded_rows(bare, 1.0, seed=0) == []
    assert surrounded_rows(ROWS, 0.0, seed=0) == []
    assert len(surrounded_rows([*ROWS, *bare], 1.0, seed=0)) == len(ROWS)


def test_no_copy_depends_on_its_neighbours() -> None:
    texts, others = [row.text for row in ROWS[:10]], ordinary_texts(ROWS)
    assert all_surrounded(texts, others, 3)[::-1] == all_surrounded(texts[::-1], others, 3)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(ConfigError, match="surrounded_share"):
        load_config(TextConfig, flags={"surrounded_share": share})

"""A yes/no question from the labelled posts: a table and rows that the trainer reads as any others."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import ConfigError
from data.loaders import load_examples
from data.taxonomy import load_taxonomy
from training.one_category import as_toml, main, only

TAXONOMY = load_taxonomy()
FOOD = "food_health_safety"


def test_the_written_table_is_the_table(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.toml"
    path.write_text(as_toml(TAXONOMY), encoding="utf-8")
    assert load_taxonomy(path) == TAXONOMY


def test_rows_keep_their_text_and_answer_one_question(tmp_path: Path, tiny_posts: Path) -> None:
    main(FOOD, tmp_path, (str(tiny_posts),))
    table = load_taxonomy(tmp_path / "taxonomy.toml")
    assert table.ids == ("none", FOOD)
    assert table.severities == TAXONOMY.severities
    loaded = load_examples([tmp_path / "posts.jsonl"], table)
    assert not loaded.bad
    before = {row.id: row for row in load_examples([tiny_posts], TAXONOMY).rows}
    assert [row.id for row in loaded.rows] == list(before)
    for row in loaded.rows:
        yes = before[row.id].category == FOOD
        assert (row.category, row.severity) == ((FOOD, before[row.id].severity) if yes else ("none", 0))
        assert row.text == before[row.id].text
    assert sum(row.category == FOOD for row in loaded.rows) == sum(row.category == FOOD for row in before.values()) > 5


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ConfigError, match="weather"):
        only(TAXONOMY, "weather")

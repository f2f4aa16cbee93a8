"""A yes/no question from the labelled posts: a table and rows that the trainer reads as any others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.loaders import load_examples
from data.records import Example
from data.taxonomy import as_toml, load_taxonomy
from training.one_category import main, only, relabelled

TAXONOMY = load_taxonomy()
FOOD = "food_health_safety"


def test_the_written_table_is_the_table(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.toml"
    path.write_text(as_toml(TAXONOMY), encoding="utf-8")
    assert load_taxonomy(path) == TAXONOMY


@pytest.mark.parametrize("word", ["😀食品", 'a "b" \\ c', "两\n行\t", "\x7f\x00", "\u2028"])
def test_any_text_comes_back_from_the_written_table(tmp_path: Path, word: str) -> None:
    first, *rest = TAXONOMY.categories
    table = replace(TAXONOMY, version=word, categories=(replace(first, example=word), *rest))
    path = tmp_path / "taxonomy.toml"
    path.write_text(as_toml(table), encoding="utf-8")
    assert load_taxonomy(path) == table


def test_a_missing_label_is_no_answer() -> None:
    rows = [
        Example(id="a", text="好"),
        Example(id="b", text="好", severity=2),
        Example(id="c", text="好", category=FOOD),
    ]
    found = relabelled([*rows, Example(id="d", text="好", category="other")], FOOD, TAXONOMY)
    assert [(row.category, row.severity) for row in found] == [(None, None), (None, None), (FOOD, None), ("none", 0)]


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
    with pytest.raises(ConfigError, match=r"none .* name one of product_quality"):
        only(TAXONOMY, "none")


def test_what_is_refused_makes_no_folder(tiny_posts: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="weather"):
        main("weather", tmp_path / "made", (str(tiny_posts),))
    assert not (tmp_path / "made").exists()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="give a folder that can be made"):
        main(FOOD, tmp_path / "file", (str(tiny_posts),))


@pytest.mark.parametrize("name", ["taxonomy.toml", "posts.jsonl"])
def test_a_file_that_cannot_be_written_is_told(tiny_posts: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match=rf"{name}: Is a directory: give a folder that can be"):
        main(FOOD, tmp_path, (str(tiny_posts),))

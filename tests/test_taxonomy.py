"""Laws of the taxonomy table: its order, its texts and what a wrong table is told."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from altered import edited

from data.errors import ConfigError
from data.taxonomy import DEFAULT_PATH, Taxonomy, as_toml, load_taxonomy, parse_taxonomy

CLUSTERS = {"victim", "accidental", "preventable"}
COMPLAINT_CLASSES = {
    "质量",
    "安全",
    "价格",
    "计量",
    "假冒",
    "合同",
    "虚假宣传",
    "人格尊严",
    "售后服务",
    "其他",
}


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def test_seventeen_distinct_ids_and_none_comes_first(taxonomy: Taxonomy) -> None:
    assert len(taxonomy.ids) == len(set(taxonomy.ids)) == 17
    assert taxonomy.none_id == taxonomy.ids[0] == "none"


def test_index_is_the_inverse_of_order(taxonomy: Taxonomy) -> None:
    assert [taxonomy.index(category_id) for category_id in taxonomy.ids] == list(range(17))


def test_unknown_id_is_named_and_known_ids_are_listed(taxonomy: Taxonomy) -> None:
    with pytest.raises(ConfigError, match=r"'weather'.*product_quality"):
        taxonomy.index("weather")


def test_every_category_is_described(taxonomy: Taxonomy) -> None:
    for category in taxonomy.categories:
        assert category.name
        assert category.name_en
        assert len(category.definition) >= 20, category.id
        assert len(category.example) >= 20, category.id


def test_definitions_and_examples_are_distinct(taxonomy: Taxonomy) -> None:
    texts = [text for category in taxonomy.categories for text in (category.definition, category.example)]
    assert len(texts) == len(set(texts))


def test_crises_have_a_cluster_and_a_complaint_class_and_none_has_neither(taxonomy: Taxonomy) -> None:
    none, *crises = taxonomy.categories
    assert (none.scct, none.complaint_class) == ("none", "")
    assert {category.scct for category in crises} == CLUSTERS
    assert {category.complaint_class for category in crises} <= COMPLAINT_CLASSES


def test_standard_codes_are_never_invented(taxonomy: Taxonomy) -> None:
    assert {category.gbt_42499_code for category in taxonomy.categories} == {""}


def test_severity_rank_rises_while_the_numeral_falls(taxonomy: Taxonomy) -> None:
    assert [severity.rank for severity in taxonomy.severities] == [0, 1, 2, 3, 4]
    assert [severity.level for severity in taxonomy.severities] == ["无", "Ⅳ", "Ⅲ", "Ⅱ", "Ⅰ"]
    assert [severity.color for severity in taxonomy.severities] == [
        "green",
        "blue",
        "yellow",
        "orange",
        "red",
    ]
    assert all(severity.definition for severity in taxonomy.severities)


def test_hash_depends_on_order_but_not_on_wording(taxonomy: Taxonomy, tmp_path: Path) -> None:
    first, second, *rest = taxonomy.categories
    swapped = Taxonomy(taxonomy.version, (second, first, *rest), taxonomy.severities)
    shorter = Taxonomy(taxonomy.version, taxonomy.categories, taxonomy.severities[:-1])
    reworded = load_taxonomy(edited(DEFAULT_PATH, tmp_path, first.example, "改写的例子"))
    assert len({taxonomy.sha256, swapped.sha256, shorter.sha256}) == 3
    assert reworded.sha256 == taxonomy.sha256


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('scct = "none"', 'cluster = "none"', "category 1.*cluster, scct"),
        ('color = "blue"\n', "", "severity 2.*color"),
        ("rank = 3", "rank = 5", "ranks must be"),
        ("rank = 3", 'rank = "3"', "severity 4: rank is '3'"),
        ('id = "product_quality"', 'id = "none"', "'none' comes twice"),
        ('id = "product_quality"', "id = 7", "category 2: id is 7"),
        ("[[category]]", "[[category", "taxonomy.toml: .*line"),
        ("version = ", "edition = ", "version is None"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_taxonomy(edited(DEFAULT_PATH, tmp_path, old, new))


def test_one_grade_of_harm_is_too_few(taxonomy: Taxonomy) -> None:
    for ranks, told in ((3, None), (2, "two severity ranks: give rank 0 and at least two grades")):
        table = as_toml(replace(taxonomy, severities=taxonomy.severities[:ranks]))
        with pytest.raises(ConfigError, match=told) if told else nullcontext():
            assert len(parse_taxonomy(table, "mine.toml").severities) == ranks


@pytest.mark.parametrize(
    ("blob", "told"),
    [
        (None, "No such file.*name a readable taxonomy table"),
        (b"\xff\xfe", "decode.*UTF-8"),
        (b"", r"at least two tables \[\[category\]\]"),
        (b'version = "1"\ncategory = 3\n', r"at least two tables \[\[category\]\]"),
        (b"a = " + b"[" * 5_000, "give a TOML file"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path: Path, blob: bytes | None, told: str) -> None:
    path = tmp_path / "odd.toml"
    if blob is not None:
        path.write_bytes(blob)
    with pytest.raises(ConfigError, match=f"odd.toml.*{told}"):
        load_taxonomy(path)

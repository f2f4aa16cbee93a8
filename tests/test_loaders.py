"""Laws of the loaders: good rows are kept, bad rows are told with line, field and reason, neighbours are unharmed."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labelled import ROWS, TAXONOMY, as_csv, as_jsonl, as_parquet, load, told_of, write

from data.loaders import BadRow, load_examples, load_series
from data.records import Example

BAD = [
    ({"text": "没有编号"}, "id", "required"),
    ({"id": "x"}, "text", "required"),
    ({"id": "x", "text": ""}, "text", "at least 1"),
    ({"id": "x", "text": " \u200b\n"}, "text", "normalisation"),
    ({"id": "x", "text": 5}, "text", "string"),
    (b'{"id": "\\ud83d", "text": "x"}', "id", "surrogates"),  # half an emoji
    (b'{"id": "x", "text": "x", "source": "\\ud83d"}', "source", "surrogates"),
    (b'{"id": "x", "text": "x", "event": "\\ud83d"}', "event", "surrogates"),
    (b'{"id": "x", "text": "\\ud83d"}', "text", "unicode"),
    ({"id": "x", "text": "好", "category": "weather"}, "category", "'weather' is not in the taxonomy.*product_quality"),
    ({"id": "x", "text": "好", "second": "weather"}, "second", "taxonomy"),
    ({"id": "x", "text": "好", "severity": 5}, "severity", "4"),
    ({"id": "x", "text": "好", "severity": -1}, "severity", "0"),
    ({"id": "x", "text": "好", "severity": "高"}, "severity", "'高' is no rank: give 0 to 4$"),
    ({"id": "x", "text": "好", "severity": "较大"}, "severity", r"'较大' is no rank: give 0 to 4 \(较大 is 2\)"),
    ({"id": "x", "text": "好", "severity": "Ⅲ"}, "severity", r"'Ⅲ' is no rank: give 0 to 4 \(Ⅲ is 2\)"),
    ({"id": "x", "text": "好", "severity": 1.5}, "severity", "1.5 is no rank: give 0 to 4"),
    ({"id": "x", "text": "好", "severity": [1]}, "severity", "no rank: give 0 to 4"),
    ({"id": "x", "text": "好", "category": 3}, "category", "string"),
    (
        {"id": "x", "text": "好", "category": "none", "severity": 1},
        "severity",
        "1 with .* 0: give rank 0, or the category",
    ),
    (
        {"id": "x", "text": "好", "category": "other", "severity": 0},
        "severity",
        "0 with .* 0: give a rank from 1 up, or none",
    ),
    ({"id": "x", "text": "好", "category": "other", "severity": True}, "severity", "True is no rank: give 0 to 4"),
    ({"id": "a", "text": "另一条"}, "id", "'a' came before"),
    (b'{"id": "x", "text": "' + "好".encode("gbk") + b'"}', "row", "not UTF-8"),
    (b'{"id": "x", ', "row", "not valid JSON"),
    (b'["id", "text"]', "row", "JSON object"),
    (b'{"id": "x", "text": ' + b"1" * 5000 + b"}", "row", "not valid JSON"),
    (b"[" * 100_000, "row", "not valid JSON"),
    (b'{"id": "x", "text": "x", "severity": 1, "severity": 2}', "row", "'severity' stands there more than once"),
]


@pytest.mark.parametrize(("row", "field", "why"), BAD, ids=range(len(BAD)))
def test_a_bad_row_is_told_and_its_neighbours_stay(tmp_path: Path, row: object, field: str, why: str) -> None:
    loaded = load(tmp_path, "posts.jsonl", as_jsonl(ROWS[0], b"", row, ROWS[1]))
    assert [kept.id for kept in loaded.rows] == ["a", "b"]
    assert told_of(loaded) == [(3, field)]
    assert re.search(f"posts.jsonl:3: {field}: .*{why}", str(loaded.bad[0]))


@pytest.mark.parametrize(
    ("given", "category", "severity"),
    [
        ({"severity": 0}, "none", 0),
        ({"category": "none"}, "none", 0),
        ({"severity": 2}, None, 2),
        ({"category": "other"}, "other", None),
        ({}, None, None),
    ],
)
def test_none_and_rank_0_imply_each_other(
    tmp_path: Path, given: dict[str, object], category: str | None, severity: int | None
) -> None:
    (row,) = load(tmp_path, "posts.jsonl", as_jsonl({"id": "x", "text": "好", **given})).rows
    assert (row.category, row.severity) == (category, severity)
    cells = ",".join(str(given.get(name, "")) for name in ("category", "severity"))
    (row,) = load(tmp_path, "posts.csv", f"id,text,category,severity\nx,好,{cells}\n".encode()).rows
    assert (row.category, row.severity) == (category, severity)


@pytest.mark.parametrize("name", ["posts.jsonl", "posts.csv"])
@pytest.mark.parametrize(
    ("written", "category", "severity", "second"),
    [
        (("平台规则与合同", "2", "-"), "platform_rules", 2, None),
        ((" PLATFORM_RULES ", " 2 ", "其他危机"), "platform_rules", 2, "other"),
        (("Product quality", "1.0", "—"), "product_quality", 1, None),
        (("无危机", "-", " "), "none", 0, None),
        (("-", "0.0", "-"), "none", 0, None),
        (("-", "3", "None"), None, 3, "none"),
    ],
)
def test_labels_are_read_as_people_write_them(
    tmp_path: Path, name: str, written: Sequence[str], category: str | None, severity: int, second: str | None
) -> None:
    given = {"id": "x", "text": "好", **dict(zip(("category", "severity", "second"), written, strict=True))}
    loaded = load(tmp_path, name, as_csv([given]) if name.endswith("csv") else as_jsonl(given))
    assert loaded.bad == []
    assert [(row.category, row.severity, row.second) for row in loaded.rows] == [(category, severity, second)]


def test_a_gap_in_a_table_of_numbers_is_no_label(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "text": ["好", "坏"], "severity": [float("nan"), 2.0]})
    pq.write_table(table, tmp_path / "posts.parquet")
    loaded = load_examples([tmp_path / "posts.parquet"], TAXONOMY)
    assert ([row.severity for row in loaded.rows], loaded.bad) == ([None, 2], [])


def test_a_name_that_two_categories_share_is_none(tmp_path: Path) -> None:
    first, *others = TAXONOMY.categories
    shared = replace(TAXONOMY, categories=(first, *(replace(one, name="一样") for one in others)))
    row = {"id": "x", "text": "好", "category": "一样", "severity": 1}
    loaded = load_examples([write(tmp_path, "posts.jsonl", as_jsonl(row))], shared)
    assert told_of(loaded) == [(1, "category")]


@pytest.mark.parametrize("written", ["昨天", 20240501, "20240501", "1714521600.5"])
def test_a_time_that_cannot_be_read_is_told_and_costs_no_row(tmp_path: Path, written: object) -> None:
    loaded = load(tmp_path, "posts.jsonl", as_jsonl(ROWS[0] | {"published_at": written}, ROWS[1]))
    assert [(row.id, row.published_at is None) for row in loaded.rows] == [("a", True), ("b", False)]
    assert loaded.bad == []
    (told,) = loaded.unread
    assert str(told).startswith(f"{tmp_path}/posts.jsonl:1: published_at: {written!r} is read as null: ")


def test_no_row_vanishes_and_no_report_repeats_a_post(tmp_path: Path) -> None:
    rows = [ROWS[0], *(row for row, _, _ in BAD), ROWS[1]]
    loaded = load(tmp_path, "posts.jsonl", as_jsonl(*rows))
    assert len(loaded.rows) + len(loaded.bad) == len(rows)
    assert not any("另一条" in str(bad) or "没有编号" in str(bad) for bad in loaded.bad)


def test_a_post_in_the_column_of_another_field_is_told_in_part_only(tmp_path: Path) -> None:
    post = "我叫李四，住在东湖路十八号，" * 4
    rows = ({"id": "x", "text": "好", "category": post}, *({"id": post, "text": f"好{i}"} for i in range(2)))
    loaded = load(tmp_path, "posts.jsonl", as_jsonl(*rows))
    assert told_of(loaded) == [(1, "category"), (3, "id")]
    assert all(bad.why.startswith(f"'{post[:40]}…' ") for bad in loaded.bad)


def test_ids_and_events_may_be_whole_numbers(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"id": 7, "event": 12}, ROWS[1] | {"id": 8}]
    content = as_parquet([{**row, "event": row.get("event")} for row in rows])
    for name, written in (("posts.jsonl", as_jsonl(*rows, ROWS[0] | {"id": True})), ("posts.parquet", content)):
        loaded = load(tmp_path, name, written)
        assert [(row.id, row.event) for row in loaded.rows] == [("7", "12"), ("8", None)]
    series = {"topic_id": 7, "start": "2026-01-01T00:00:00Z", "interval_minutes": 60, "counts": [1]}
    (row,) = load_series([write(tmp_path, "series.jsonl", as_jsonl(series))]).rows
    assert row.topic_id == "7"


def test_ids_are_unique_over_all_files(tmp_path: Path) -> None:
    paths = [write(tmp_path, name, as_jsonl(ROWS[0])) for name in ("one.jsonl", "two.jsonl")]
    loaded = load_examples(paths, TAXONOMY)
    assert len(loaded.rows) == 1
    assert loaded.bad == [BadRow(str(paths[1]), 1, "id", "'a' came before: ids must be unique")]


def test_labels_take_the_text_of_the_post_with_their_id(tmp_path: Path) -> None:
    posts = {row.id: row for row in load(tmp_path, "posts.jsonl", as_jsonl(*ROWS)).rows}
    labels = write(tmp_path, "labels.csv", b"id,category,severity,second\na,other,1,\nz,none,0,\nb,none,0,other\n")
    loaded = load_examples([labels], TAXONOMY, posts)
    assert [(row.id, row.text, row.source, row.category) for row in loaded.rows] == [
        ("a", posts["a"].text, "weibo", "other"),
        ("b", posts["b"].text, None, "none"),
    ]
    assert told_of(loaded) == [(3, "text")]


def test_labels_take_what_binds_the_post_and_dates_it(tmp_path: Path) -> None:
    """Else a label teaches what its post's source, event or date holds out; null says nothing, as an empty cell."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    post = Example(id="a", text="好", source="weibo", event="e1", published_at=at)
    row = {"id": "a", "category": "other", "severity": 1, "text": None, "source": None, "event": None}
    loaded = load_examples([write(tmp_path, "labels.jsonl", as_jsonl(row))], TAXONOMY, {"a": post})
    assert loaded.rows == [replace(post, category="other", severity=1)]


def test_a_refused_row_does_not_block_its_id(tmp_path: Path) -> None:
    loaded = load(tmp_path, "posts.jsonl", as_jsonl(ROWS[0] | {"severity": 0}, ROWS[0]))
    assert ([row.id for row in loaded.rows], told_of(loaded)) == (["a"], [(1, "severity")])


def test_series_keep_nulls_and_refuse_what_is_no_count(tmp_path: Path) -> None:
    good = {"topic_id": "t", "start": "2024-05-01T08:00:00+08:00", "interval_minutes": 60, "counts": [1, None, 2.5]}
    bad: list[tuple[object, str]] = [
        (good, "topic_id"),
        (good | {"topic_id": "u", "start": "2024-05-01T08:00:00"}, "start"),
        (good | {"topic_id": "u", "interval_minutes": 0}, "interval_minutes"),
        (good | {"topic_id": "u", "counts": []}, "counts"),
        (good | {"topic_id": "u", "counts": [1, -1]}, "counts[1]"),
        (good | {"topic_id": "u", "counts": [float("nan")]}, "counts[0]"),
        (good | {"topic_id": "u", "authors": [1, 1]}, "authors"),
    ]
    path = write(
        tmp_path, "s.jsonl.gz", gzip.compress(as_jsonl(good, *(row for row, _ in bad), good | {"topic_id": "z"}))
    )
    loaded = load_series([path])
    assert [row.topic_id for row in loaded.rows] == ["t", "z"]
    assert loaded.rows[0].counts == (1.0, None, 2.5)
    assert told_of(loaded) == [(line, field) for line, (_, field) in enumerate(bad, 2)]


def test_a_refused_series_does_not_block_its_id(tmp_path: Path) -> None:
    good = {"topic_id": "t", "start": "2024-05-01T08:00:00+08:00", "interval_minutes": 60, "counts": [1, 2]}
    loaded = load_series([write(tmp_path, "s.jsonl", as_jsonl(good | {"authors": [1]}, good))])
    assert ([row.topic_id for row in loaded.rows], told_of(loaded)) == (["t"], [(1, "authors")])


def test_a_date_without_a_clock_dates_a_post(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"published_at": "2024-05-01"}, ROWS[1] | {"published_at": "2024-05-01T08:00:00Z"}]
    loaded = load(tmp_path, "posts.jsonl", as_jsonl(*rows))
    assert [row.published_at for row in loaded.rows] == [datetime(2024, 5, 1), datetime(2024, 5, 1, 8, tzinfo=UTC)]


def test_the_corpora_load_without_a_bad_row(shared_data: Path) -> None:
    posts = load_examples([shared_data / "posts.jsonl"], TAXONOMY)
    series = load_series([shared_data / "volume_ced.jsonl.gz"])
    assert posts.rows
    assert series.rows
    assert posts.bad == series.bad == []

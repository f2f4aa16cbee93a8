"""Laws of the loaders: good rows are kept, bad rows are told with line, field and reason, neighbours are unharmed."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import CorpusError
from data.loaders import BadRow, Loaded, load_examples, load_series
from data.records import Example, Series
from data.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
ROWS = [
    {"id": "a", "text": "公司的充电宝漏电,\n“烧”了", "category": "product_quality", "severity": 3, "source": "weibo"},
    {"id": "b", "text": "今天天气不错", "category": "none", "severity": 0, "published_at": "2024-05-01T08:00:00+08:00"},
    {"id": "c", "text": "还没有标注", "event": "e1"},
]


def _bytes(*rows: object) -> bytes:
    return b"".join(
        (row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()) + b"\n" for row in rows
    )


def _csv(rows: Sequence[dict[str, object]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[str(row.get(name, "")) for name in names] for row in rows]
    return "\r\n".join(",".join(f'"{cell}"' for cell in line) for line in [names, *lines]).encode()


def _parquet(rows: Sequence[dict[str, object]]) -> bytes:
    sink = pa.BufferOutputStream()
    names: dict[str, object] = dict.fromkeys(name for row in ROWS for name in row)
    pq.write_table(pa.Table.from_pylist([names | row for row in rows]), sink)
    return sink.getvalue().to_pybytes()


def _write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _load(folder: Path, name: str, content: bytes) -> Loaded[Example]:
    return load_examples([_write(folder, name, content)], TAXONOMY)


def _told(loaded: Loaded[Example] | Loaded[Series]) -> list[tuple[int, str]]:
    return [(bad.line, bad.field) for bad in loaded.bad]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.jsonl", _bytes(*ROWS)),
        ("posts.jsonl.gz", gzip.compress(_bytes(*ROWS))),
        ("posts.csv", _csv(ROWS)),
        ("posts.parquet", _parquet(ROWS)),
        ("posts [1] (new).jsonl", _bytes(*ROWS)),
        ("posts [1].parquet", _parquet(ROWS)),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str, content: bytes) -> None:
    loaded = _load(tmp_path, name, content)
    assert loaded.bad == []
    assert [row.id for row in loaded.rows] == ["a", "b", "c"]
    assert [row.text for row in loaded.rows] == [row["text"] for row in ROWS]
    assert [row.severity for row in loaded.rows] == [3, 0, None]
    assert [row.category for row in loaded.rows] == ["product_quality", "none", None]
    assert loaded.rows[1].published_at == datetime(2024, 5, 1, tzinfo=UTC)
    assert loaded.rows[2].event == "e1"


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    for name, content in (("a.csv", _csv(ROWS)), ("a.jsonl", _bytes(*ROWS))):
        loaded = _load(tmp_path, name, b"\xef\xbb\xbf" + content)
        assert ([row.id for row in loaded.rows], loaded.bad) == (["a", "b", "c"], [])


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
    ({"id": "x", "text": "好", "severity": "高"}, "severity", "integer"),
    ({"id": "x", "text": "好", "category": "none", "severity": 1}, "severity", "if and only if"),
    ({"id": "x", "text": "好", "category": "other", "severity": 0}, "severity", "if and only if"),
    ({"id": "x", "text": "好", "published_at": "昨天"}, "published_at", "date"),
    ({"id": "x", "text": "好", "published_at": 20240501}, "published_at", "ISO 8601"),
    ({"id": "x", "text": "好", "published_at": "20240501"}, "published_at", "ISO 8601"),
    ({"id": "x", "text": "好", "published_at": "1714521600.5"}, "published_at", "ISO 8601"),
    ({"id": "x", "text": "好", "category": "other", "severity": True}, "severity", "whole number"),
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
    loaded = _load(tmp_path, "posts.jsonl", _bytes(ROWS[0], b"", row, ROWS[1]))
    assert [kept.id for kept in loaded.rows] == ["a", "b"]
    assert _told(loaded) == [(3, field)]
    assert re.search(f"posts.jsonl:3: {field}: .*{why}", str(loaded.bad[0]))


def test_no_row_vanishes_and_no_report_repeats_a_post(tmp_path: Path) -> None:
    rows = [ROWS[0], *(row for row, _, _ in BAD), ROWS[1]]
    loaded = _load(tmp_path, "posts.jsonl", _bytes(*rows))
    assert len(loaded.rows) + len(loaded.bad) == len(rows)
    assert not any("另一条" in str(bad) or "没有编号" in str(bad) for bad in loaded.bad)


def test_a_post_in_the_column_of_another_field_is_told_in_part_only(tmp_path: Path) -> None:
    post = "我叫李四，住在东湖路十八号，" * 4
    rows = ({"id": "x", "text": "好", "category": post}, *({"id": post, "text": f"好{i}"} for i in range(2)))
    loaded = _load(tmp_path, "posts.jsonl", _bytes(*rows))
    assert _told(loaded) == [(1, "category"), (3, "id")]
    assert all(bad.why.startswith(f"'{post[:40]}…' ") for bad in loaded.bad)


def test_ids_and_events_may_be_whole_numbers(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"id": 7, "event": 12}, ROWS[1] | {"id": 8}]
    content = _parquet([{**row, "event": row.get("event")} for row in rows])
    for name, written in (("posts.jsonl", _bytes(*rows, ROWS[0] | {"id": True})), ("posts.parquet", content)):
        loaded = _load(tmp_path, name, written)
        assert [(row.id, row.event) for row in loaded.rows] == [("7", "12"), ("8", None)]
    series = {"topic_id": 7, "start": "2026-01-01T00:00:00Z", "interval_minutes": 60, "counts": [1]}
    (row,) = load_series([_write(tmp_path, "series.jsonl", _bytes(series))]).rows
    assert row.topic_id == "7"


def test_csv_lines_are_counted_through_quoted_newlines(tmp_path: Path) -> None:
    text = 'id,text,severity\n1,"第一行\n第二行",2\n2,少一格\n3,多一格,1,9\n\n4,好,\n5,好,高\n6,末行,1'
    loaded = _load(tmp_path, "posts.csv", text.encode())
    assert [(row.id, row.text, row.severity) for row in loaded.rows] == [
        ("1", "第一行\n第二行", 2),
        ("4", "好", None),
        ("6", "末行", 1),
    ]
    assert _told(loaded) == [(4, "row"), (5, "row"), (8, "severity")]
    assert "2 cells where the header has 3" in loaded.bad[0].why


def test_blank_lines_before_the_header_are_none(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "posts.csv", "\ufeff\r\n\nid,text\n\n1,好\n2\n".encode())
    assert ([row.id for row in loaded.rows], _told(loaded)) == (["1"], [(6, "row")])


def test_csv_in_another_encoding_is_told_line_by_line(tmp_path: Path) -> None:
    lines = [b"id,text", "1,好".encode(), "2,坏了abc".encode("gbk"), "3,好".encode()]
    loaded = _load(tmp_path, "posts.csv", b"\n".join(lines))
    assert [row.id for row in loaded.rows] == ["1", "3"]
    assert [(bad.line, bad.why) for bad in loaded.bad] == [(3, "is not UTF-8: convert the file")]


@pytest.mark.parametrize(
    ("rest", "kept", "line"), [('2,"没有结束\n3,好\n', ["1"], 4), ('2,"没有结束\n3,"好"\n4,好\n', ["1", "4"], 4)]
)
def test_an_unclosed_quote_is_told_and_swallows_nothing_unsaid(
    tmp_path: Path, rest: str, kept: list[str], line: int
) -> None:
    loaded = _load(tmp_path, "posts.csv", f"id,text\n1,好\n{rest}".encode())
    assert [row.id for row in loaded.rows] == kept
    assert _told(loaded) == [(line, "row")]
    assert f"unclosed quote that takes lines 3-{line}" in loaded.bad[0].why


def test_an_unclosed_quote_in_one_line_takes_no_other(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "posts.csv", 'id,text\n1,"好"了\n2,好\n'.encode())
    assert [row.id for row in loaded.rows] == ["2"]
    assert loaded.bad[0].why.endswith("look for an unclosed quote")


def test_columns_without_a_name_may_be_several(tmp_path: Path) -> None:
    assert len(_load(tmp_path, "posts.csv", "id,text,,\n1,好,,\n".encode()).rows) == 1


def test_parquet_rows_are_counted_from_one(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "posts.parquet", _parquet([ROWS[0], ROWS[1] | {"category": "weather"}, ROWS[2]]))
    assert [row.id for row in loaded.rows] == ["a", "c"]
    assert _told(loaded) == [(2, "category")]


KINDS = {"id": {"dtype": "string", "_type": "Value"}, "text": {"dtype": "string", "_type": "Value"}}
PICTURES = {
    "info": {"features": {**KINDS, "picture": {"_type": "Image"}}}
}  # as the datasets library writes it: it would open the file or the address that such a cell names


@pytest.mark.parametrize("said", [json.dumps(PICTURES), "{", '{"info": {"features": {"id": {"_type": "Nothing"}}}}'])
def test_only_the_columns_of_a_parquet_file_are_read(tmp_path: Path, said: str) -> None:
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    picture = pa.array([{"bytes": None, "path": "http://127.0.0.1:9/a.png"}], kind)
    table = pa.table({"id": ["a"], "text": ["好"], "picture": picture}).replace_schema_metadata({"huggingface": said})
    pq.write_table(table, tmp_path / "posts.parquet")
    loaded = load_examples([tmp_path / "posts.parquet"], TAXONOMY)
    assert ([row.text for row in loaded.rows], loaded.bad) == (["好"], [])


def test_a_parquet_cell_that_cannot_be_read_fails_its_row_only(tmp_path: Path) -> None:
    far = pa.array([1, 10**18], pa.int64()).cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["好", "坏"], "published_at": far}), tmp_path / "far.parquet")
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"ok"]).buffers())
    pq.write_table(pa.table({"id": ["a", "b"], "text": text}), tmp_path / "gbk.parquet")
    names = ("far.parquet", "gbk.parquet")
    far_off, no_utf8 = (load_examples([tmp_path / name], TAXONOMY) for name in names)
    assert ([row.id for row in far_off.rows], _told(far_off)) == (["a"], [(2, "row")])
    assert ([row.id for row in no_utf8.rows], _told(no_utf8)) == (["b"], [(1, "row")])
    assert no_utf8.bad[0].why == "is not UTF-8: convert the file"


FAR = pa.array([1, 10**18], pa.int64()).cast(pa.timestamp("us", "UTC"))
NO_UTF8 = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"ok"]).buffers())
MAP = pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64()))
KEYS = pa.array([bytes(16), bytes(16)], pa.uuid())  # as DuckDB writes them


@pytest.mark.parametrize("other", [FAR, NO_UTF8, MAP, KEYS], ids=["far", "no_utf8", "map", "uuid"])
def test_a_parquet_column_that_is_not_read_fails_nothing(tmp_path: Path, other: pa.Array) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["好", "坏"], "other": other}), tmp_path / "posts.parquet")
    loaded = load_examples([tmp_path / "posts.parquet"], TAXONOMY)
    assert ([row.text for row in loaded.rows], loaded.bad) == (["好", "坏"], [])


def test_a_parquet_column_of_a_kind_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": KEYS, "text": ["好", "坏"]}), tmp_path / "posts.parquet")
    with pytest.raises(CorpusError, match=r"posts.parquet: id is a extension<arrow.uuid>, .*: write text"):
        load_examples([tmp_path / "posts.parquet"], TAXONOMY)
    pq.write_table(pa.table({"正文": ["好"]}), tmp_path / "names.parquet")
    with pytest.raises(CorpusError, match=r"names.parquet has none of the columns that are read: give"):
        load_examples([tmp_path / "names.parquet"], TAXONOMY)


def test_groups_of_no_rows_are_no_damage(tmp_path: Path) -> None:
    rows = pa.table({"id": ["a"], "text": ["好"]})
    for groups in ([rows[:0]], [rows[:0], rows, rows[:0]]):
        with pq.ParquetWriter(tmp_path / "posts.parquet", rows.schema) as writer:
            for group in groups:
                writer.write_table(group)
        loaded = load_examples([tmp_path / "posts.parquet"], TAXONOMY)
        assert (len(loaded.rows), loaded.bad) == (sum(map(len, groups)), [])


def test_a_spoiled_parquet_file_is_an_error_of_ours_or_none(tmp_path: Path) -> None:
    content, random = _parquet(ROWS), Random(0)
    for _ in range(200):
        spoiled = bytearray(content)
        for _ in range(3):
            spoiled[random.randrange(len(spoiled))] = random.randrange(256)
        with suppress(CorpusError):
            _load(tmp_path, "posts.parquet", bytes(spoiled))


def test_ids_are_unique_over_all_files(tmp_path: Path) -> None:
    paths = [_write(tmp_path, name, _bytes(ROWS[0])) for name in ("one.jsonl", "two.jsonl")]
    loaded = load_examples(paths, TAXONOMY)
    assert len(loaded.rows) == 1
    assert loaded.bad == [BadRow(str(paths[1]), 1, "id", "'a' came before: ids must be unique")]


def test_labels_take_the_text_of_the_post_with_their_id(tmp_path: Path) -> None:
    posts = {row.id: row for row in _load(tmp_path, "posts.jsonl", _bytes(*ROWS)).rows}
    labels = _write(tmp_path, "labels.csv", b"id,category,severity,second\na,other,1,\nz,none,0,\nb,none,0,other\n")
    loaded = load_examples([labels], TAXONOMY, posts)
    assert [(row.id, row.text, row.source, row.category) for row in loaded.rows] == [
        ("a", posts["a"].text, "weibo", "other"),
        ("b", posts["b"].text, None, "none"),
    ]
    assert _told(loaded) == [(3, "text")]


def test_labels_take_what_binds_the_post_and_dates_it(tmp_path: Path) -> None:
    """Else a label teaches what its post's source, event or date holds out; null says nothing, as an empty cell."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    post = Example(id="a", text="好", source="weibo", event="e1", published_at=at)
    row = {"id": "a", "category": "other", "severity": 1, "text": None, "source": None, "event": None}
    loaded = load_examples([_write(tmp_path, "labels.jsonl", _bytes(row))], TAXONOMY, {"a": post})
    assert loaded.rows == [replace(post, category="other", severity=1)]


def test_a_refused_row_does_not_block_its_id(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "posts.jsonl", _bytes(ROWS[0] | {"severity": 0}, ROWS[0]))
    assert ([row.id for row in loaded.rows], _told(loaded)) == (["a"], [(1, "severity")])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("nowhere.csv", None, "nowhere.csv: no such file"),
        ("posts.xlsx", b"", r"unknown kind of file: give one of \.csv, \.jsonl, \.jsonl\.gz, \.parquet"),
        ("posts.jsonl.gz", gzip.compress(_bytes(*ROWS))[:-6], "no readable gzip file"),
        ("posts.jsonl.gz", _bytes(*ROWS), "no readable gzip file"),
        ("posts.parquet", _bytes(*ROWS), "no readable Parquet file"),
        (
            "posts.parquet",
            _parquet(ROWS)[:4] + b"x" * 500 + _parquet(ROWS)[504:],
            "no readable Parquet file .*: make it",
        ),
        ("posts.csv", "id,text,text\n1,好,坏\n".encode(), "the header names 'text' more than once: give each column"),
        ("posts.csv", 'id,"text\n1,好\n'.encode(), "the header line is not valid CSV .*: look for an unclosed quote"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        _write(tmp_path, name, content)
    with pytest.raises(CorpusError, match=told):
        load_examples([tmp_path / name], TAXONOMY)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_csv_file_in_utf_16_is_one_clear_error(tmp_path: Path, encoding: str, quote: str, end: str) -> None:
    text = end.join(f"{quote}{a}{quote},{quote}{b}{quote}" for a, b in (("id", "text"), ("1", "好"), ("2", "坏")))
    with pytest.raises(CorpusError, match=r"posts\.csv is not UTF-8: convert the file$"):
        _load(tmp_path, "posts.csv", text.encode(encoding))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    assert _load(tmp_path, name, b"") == Loaded([], [])


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
    path = _write(
        tmp_path, "s.jsonl.gz", gzip.compress(_bytes(good, *(row for row, _ in bad), good | {"topic_id": "z"}))
    )
    loaded = load_series([path])
    assert [row.topic_id for row in loaded.rows] == ["t", "z"]
    assert loaded.rows[0].counts == (1.0, None, 2.5)
    assert _told(loaded) == [(line, field) for line, (_, field) in enumerate(bad, 2)]


def test_a_refused_series_does_not_block_its_id(tmp_path: Path) -> None:
    good = {"topic_id": "t", "start": "2024-05-01T08:00:00+08:00", "interval_minutes": 60, "counts": [1, 2]}
    loaded = load_series([_write(tmp_path, "s.jsonl", _bytes(good | {"authors": [1]}, good))])
    assert ([row.topic_id for row in loaded.rows], _told(loaded)) == (["t"], [(1, "authors")])


def test_a_date_without_a_clock_dates_a_post(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"published_at": "2024-05-01"}, ROWS[1] | {"published_at": "2024-05-01T08:00:00Z"}]
    loaded = _load(tmp_path, "posts.jsonl", _bytes(*rows))
    assert [row.published_at for row in loaded.rows] == [datetime(2024, 5, 1), datetime(2024, 5, 1, 8, tzinfo=UTC)]


def test_the_corpora_load_without_a_bad_row(shared_data: Path) -> None:
    posts = load_examples([shared_data / "posts.jsonl"], TAXONOMY)
    series = load_series([shared_data / "volume_ced.jsonl.gz"])
    assert posts.rows
    assert series.rows
    assert posts.bad == series.bad == []


def test_a_name_that_parquet_readers_cannot_open_is_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xcd\xb6\xcb\xdf.parquet")
    with path.open("wb") as file:
        pq.write_table(pa.table({"id": ["a"], "text": ["好"]}), file)
    with pytest.raises(CorpusError, match="is no readable Parquet file"):
        load_examples([path], load_taxonomy())

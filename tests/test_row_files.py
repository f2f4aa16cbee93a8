"""Every kind of file gives its rows; one that cannot be read is told with its line, and fails no other."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labelled import ROWS, TAXONOMY, as_csv, as_jsonl, as_parquet, load, told_of, write

from data.errors import CorpusError
from data.loaders import Loaded, load_examples
from data.row_files import read_rows
from data.taxonomy import load_taxonomy


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.jsonl", as_jsonl(*ROWS)),
        ("posts.jsonl.gz", gzip.compress(as_jsonl(*ROWS))),
        ("posts.csv", as_csv(ROWS)),
        ("posts.parquet", as_parquet(ROWS)),
        ("posts [1] (new).jsonl", as_jsonl(*ROWS)),
        ("posts [1].parquet", as_parquet(ROWS)),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str, content: bytes) -> None:
    loaded = load(tmp_path, name, content)
    assert loaded.bad == []
    assert [row.id for row in loaded.rows] == ["a", "b", "c"]
    assert [row.text for row in loaded.rows] == [row["text"] for row in ROWS]
    assert [row.severity for row in loaded.rows] == [3, 0, None]
    assert [row.category for row in loaded.rows] == ["product_quality", "none", None]
    assert loaded.rows[1].published_at == datetime(2024, 5, 1, tzinfo=UTC)
    assert loaded.rows[2].event == "e1"


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    for name, content in (("a.csv", as_csv(ROWS)), ("a.jsonl", as_jsonl(*ROWS))):
        loaded = load(tmp_path, name, b"\xef\xbb\xbf" + content)
        assert ([row.id for row in loaded.rows], loaded.bad) == (["a", "b", "c"], [])


def test_csv_lines_are_counted_through_quoted_newlines(tmp_path: Path) -> None:
    text = 'id,text,severity\n1,"第一行\n第二行",2\n2,少一格\n3,多一格,1,9\n\n4,好,\n5,好,高\n6,末行,1'
    loaded = load(tmp_path, "posts.csv", text.encode())
    assert [(row.id, row.text, row.severity) for row in loaded.rows] == [
        ("1", "第一行\n第二行", 2),
        ("4", "好", None),
        ("6", "末行", 1),
    ]
    assert told_of(loaded) == [(4, "row"), (5, "row"), (8, "severity")]
    assert "2 cells where the header has 3" in loaded.bad[0].why


def test_blank_lines_before_the_header_are_none(tmp_path: Path) -> None:
    loaded = load(tmp_path, "posts.csv", "\ufeff\r\n\nid,text\n\n1,好\n2\n".encode())
    assert ([row.id for row in loaded.rows], told_of(loaded)) == (["1"], [(6, "row")])


def test_csv_in_another_encoding_is_told_line_by_line(tmp_path: Path) -> None:
    lines = [b"id,text", "1,好".encode(), "2,坏了abc".encode("gbk"), "3,好".encode()]
    loaded = load(tmp_path, "posts.csv", b"\n".join(lines))
    assert [row.id for row in loaded.rows] == ["1", "3"]
    assert [(bad.line, bad.why) for bad in loaded.bad] == [(3, "is not UTF-8: convert the file")]


@pytest.mark.parametrize(
    ("rest", "kept", "line"), [('2,"没有结束\n3,好\n', ["1"], 4), ('2,"没有结束\n3,"好"\n4,好\n', ["1", "4"], 4)]
)
def test_an_unclosed_quote_is_told_and_swallows_nothing_unsaid(
    tmp_path: Path, rest: str, kept: list[str], line: int
) -> None:
    loaded = load(tmp_path, "posts.csv", f"id,text\n1,好\n{rest}".encode())
    assert [row.id for row in loaded.rows] == kept
    assert told_of(loaded) == [(line, "row")]
    assert f"unclosed quote that takes lines 3-{line}" in loaded.bad[0].why


def test_an_unclosed_quote_in_one_line_takes_no_other(tmp_path: Path) -> None:
    loaded = load(tmp_path, "posts.csv", 'id,text\n1,"好"了\n2,好\n'.encode())
    assert [row.id for row in loaded.rows] == ["2"]
    assert loaded.bad[0].why.endswith("look for an unclosed quote")


def test_columns_without_a_name_may_be_several(tmp_path: Path) -> None:
    assert len(load(tmp_path, "posts.csv", "id,text,,\n1,好,,\n".encode()).rows) == 1


def test_parquet_rows_are_counted_from_one(tmp_path: Path) -> None:
    loaded = load(tmp_path, "posts.parquet", as_parquet([ROWS[0], ROWS[1] | {"category": "weather"}, ROWS[2]]))
    assert [row.id for row in loaded.rows] == ["a", "c"]
    assert told_of(loaded) == [(2, "category")]


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


FAR = pa.array([1, 10**18], pa.int64()).cast(pa.timestamp("us", "UTC"))
NO_UTF8 = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"ok"]).buffers())


def test_a_parquet_cell_that_cannot_be_read_fails_its_row_only(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["好", "坏"], "published_at": FAR}), tmp_path / "far.parquet")
    pq.write_table(pa.table({"id": ["a", "b"], "text": NO_UTF8}), tmp_path / "gbk.parquet")
    names = ("far.parquet", "gbk.parquet")
    far_off, no_utf8 = (load_examples([tmp_path / name], TAXONOMY) for name in names)
    assert ([row.id for row in far_off.rows], told_of(far_off)) == (["a"], [(2, "row")])
    assert ([row.id for row in no_utf8.rows], told_of(no_utf8)) == (["b"], [(1, "row")])
    assert no_utf8.bad[0].why == "is not UTF-8: convert the file"


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
        next(read_rows(tmp_path / "names.parquet", ("text",)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"content,label\n" + "好,1\n".encode() * 300),
        ("a.csv", b"content;label\n" + "好;1\n".encode() * 300),
        ("a.parquet", pa.table({"content": ["好"] * 300, "label": [1] * 300})),
    ],
)
def test_columns_of_other_names_are_one_error_for_the_file(
    tmp_path: Path, name: str, content: bytes | pa.Table
) -> None:
    """It was a fault for each of 300 rows, and named no column."""
    if isinstance(content, pa.Table):
        sink = pa.BufferOutputStream()
        pq.write_table(content, sink)
        content = sink.getvalue().to_pybytes()
    with pytest.raises(CorpusError, match=r"a\.\w+ has no column .*text: columns found: .*; rename them to id, text$"):
        load(tmp_path, name, content)


def test_a_row_of_other_names_tells_those_it_has(tmp_path: Path) -> None:
    loaded = load(tmp_path, "a.jsonl", as_jsonl({"content": "好", "label": 1}, ROWS[0]))
    assert [row.id for row in loaded.rows] == ["a"]
    assert str(loaded.bad[0]).endswith("a.jsonl:1: id, text: required; the row has content, label")


@pytest.mark.parametrize("head", ["", "sep={}\r\n", "\ufeff", "\r\n"])
@pytest.mark.parametrize("separator", [";", "\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_what_spreadsheets_write_is_read(tmp_path: Path, encoding: str, separator: str, head: str) -> None:
    lines = (["id", " text", "severity "], ["a", f'"起火{separator}了"', "3"], ["b", "一格"], ["c", "没事", "0"])
    text = head.format(separator) + "".join(separator.join(cells) + "\r\n" for cells in lines)
    loaded = load(tmp_path, "a.csv", text.encode(encoding))
    rows = [(row.id, row.text, row.severity) for row in loaded.rows]
    assert rows == [("a", f"起火{separator}了", 3), ("c", "没事", 0)]
    assert told_of(loaded) == [(3 + text.count("\n", 0, text.index("id")), "row")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_jsonl_in_gb18030_is_read(tmp_path: Path, name: str) -> None:
    content = "".join(f"{line}\n" for line in as_jsonl(*ROWS).decode().splitlines()).encode("gb18030")
    loaded = load(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
    assert ([row.text for row in loaded.rows], loaded.bad) == ([row["text"] for row in ROWS], [])


def test_a_damaged_line_of_gb18030_fails_alone(tmp_path: Path) -> None:
    lines = ["id,text", "1,好的", "2,坏了", "3,可以"]
    content = "\n".join(lines).encode("gb18030").replace("坏".encode("gb18030"), b"\xff\xff")
    loaded = load(tmp_path, "a.csv", content)
    assert [row.text for row in loaded.rows] == ["好的", "可以"]
    assert [(bad.line, bad.why) for bad in loaded.bad] == [(3, "is not GB18030: convert the file")]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS, ensure_ascii=False),
        json.dumps(ROWS, ensure_ascii=False, indent=2),
        "\n\n[" + ",\n".join(json.dumps(row) for row in ROWS) + "]",
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
    ],
)
def test_a_list_and_json_over_several_lines_are_one_error(tmp_path: Path, content: str) -> None:
    """A list of 230 posts was 1,370 bad rows."""
    with pytest.raises(CorpusError, match=r"a\.jsonl is JSON over several lines, or a list: write one object a line"):
        load(tmp_path, "a.jsonl", content.encode())


@pytest.mark.parametrize("first", [b'["id", "text"]', b"[", b"{"])
def test_a_damaged_line_that_is_not_the_first_fails_alone(tmp_path: Path, first: bytes) -> None:
    loaded = load(tmp_path, "a.jsonl", as_jsonl(ROWS[0], first, ROWS[1]))
    assert ([row.id for row in loaded.rows], told_of(loaded)) == (["a", "b"], [(2, "row")])
    assert len(load(tmp_path, "a.jsonl", as_jsonl(b'["id", "text"]', ROWS[1])).rows) == 1


def test_big5_is_one_clear_error(tmp_path: Path) -> None:
    content = "id,text\n" + "".join(f"{i},買到假貨，客服說這是正品，要求退貨還要扣運費\n" for i in range(9))
    with pytest.raises(CorpusError, match=r"neither UTF-8 nor GB18030, perhaps Big5: convert the file to UTF-8$"):
        load(tmp_path, "a.csv", content.encode("big5"))


def test_groups_of_no_rows_are_no_damage(tmp_path: Path) -> None:
    rows = pa.table({"id": ["a"], "text": ["好"]})
    for groups in ([rows[:0]], [rows[:0], rows, rows[:0]]):
        with pq.ParquetWriter(tmp_path / "posts.parquet", rows.schema) as writer:
            for group in groups:
                writer.write_table(group)
        loaded = load_examples([tmp_path / "posts.parquet"], TAXONOMY)
        assert (len(loaded.rows), loaded.bad) == (sum(map(len, groups)), [])


def test_a_spoiled_parquet_file_is_an_error_of_ours_or_none(tmp_path: Path) -> None:
    content, random = as_parquet(ROWS), Random(0)
    for _ in range(200):
        spoiled = bytearray(content)
        for _ in range(3):
            spoiled[random.randrange(len(spoiled))] = random.randrange(256)
        with suppress(CorpusError):
            load(tmp_path, "posts.parquet", bytes(spoiled))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "nowhere.csv",
            None,
            r"nowhere\.csv: no such file: give one that is there; --set 'posts=\[\"mine\.jsonl\"\]' takes another",
        ),
        ("posts.xlsx", b"", r"unknown kind of file: give one of \.csv, \.jsonl, \.jsonl\.gz, \.parquet"),
        ("posts.jsonl.gz", gzip.compress(as_jsonl(*ROWS))[:-6], "no readable gzip file"),
        ("posts.jsonl.gz", as_jsonl(*ROWS), "no readable gzip file"),
        ("posts.parquet", as_jsonl(*ROWS), "no readable Parquet file"),
        (
            "posts.parquet",
            as_parquet(ROWS)[:4] + b"x" * 500 + as_parquet(ROWS)[504:],
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
        write(tmp_path, name, content)
    with pytest.raises(CorpusError, match=told):
        load_examples([tmp_path / name], TAXONOMY)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_one_clear_error(tmp_path: Path, encoding: str, quote: str, end: str) -> None:
    text = end.join(f"{quote}{a}{quote},{quote}{b}{quote}" for a, b in (("id", "text"), ("1", "好"), ("2", "坏")))
    with pytest.raises(CorpusError, match=r"posts\.csv is not UTF-8: convert the file$"):
        load(tmp_path, "posts.csv", text.encode(encoding))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, name, b"") == Loaded([], [])


def test_a_name_that_parquet_readers_cannot_open_is_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xcd\xb6\xcb\xdf.parquet")
    with path.open("wb") as file:
        pq.write_table(pa.table({"id": ["a"], "text": ["好"]}), file)
    with pytest.raises(CorpusError, match="is no readable Parquet file"):
        load_examples([path], load_taxonomy())

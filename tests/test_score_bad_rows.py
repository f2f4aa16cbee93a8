"""Files in, files out: a row that cannot be scored fails alone, with its own error."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_files import read_csv, read_jsonl, score, write_csv

from serving.batch import text_source
from serving.batch.assemble import Summary, rejects_path
from serving.batch.rows import Columns, Place, make_row
from serving.batch.windows import CHARACTERS, cut_windows


def test_bad_rows_fail_alone_and_nothing_vanishes(tmp_path: Path) -> None:
    lines = [
        b'{"id": "1", "text": "\xe5\x81\x87\xe8\xb4\xa7"}',
        b'{"id": "2", "text": ',
        b'"just text"',
        b'{"id": "4", "text": ""}',
        json.dumps({"id": "5", "text": "长" * 5001}).encode(),
        b'{"id": "6", "text": 7}',
        "字".encode("gb18030"),
        b'{"id": "8"}',
        b"",
        b'{"id": "9", "volume": {"as_of": "2026-01-01T00:00:00+08:00", "counts": [1, 30]}}',
        b'{"id": "10", "volume": {"as_of": "2026-01-01T00:00:00", "counts": [1, NaN]}}',
        b'{"id": 11, "text": "ok"}',
        b'{"id": "\\ud800", "text": "ok"}',
        b'{"text": "no id"}',
    ]
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))

    summary = score(source, tmp_path / "out.jsonl")

    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"]
    good = [row["id"] for row in rows if row["error"] is None]
    assert good == ["1", "9", "11", "13"]
    assert summary == Summary(scored=4, failed=9)
    assert summary.read == len(rows)
    assert rows[8]["category"] is None
    assert rows[8]["escalation"]["probability"] == 0.5
    assert "长" not in rows[4]["error"]["message"]
    assert "volume.as_of" in rows[9]["error"]["message"]
    assert "volume.counts[1]" in rows[9]["error"]["message"]
    assert "--encoding" in rows[6]["error"]["message"]
    assert "row 8: has no field 'text'" in rows[7]["error"]["message"]


def test_ragged_csv_rows_fail_alone(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text('id,text\n1,假货\n2,a,b\n3\n\n4,爆炸\n5,"' + "x" * 200_000, encoding="utf-8")
    assert score(source, tmp_path / "out.csv").read == 5
    rows = read_csv(tmp_path / "out.csv")
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["error"] == "" for row in rows] == [True, False, False, True, False]
    assert rows[0]["category"] == "counterfeit_ip"
    assert rows[3]["severity_rank"] == "4"
    assert "3 cells where the header has 2" in rows[1]["error"]
    assert "unclosed quote" in rows[4]["error"]


@pytest.mark.parametrize("head", ["text,id", "text,date,id", "date,text,id"])
def test_a_row_whose_text_has_a_comma_does_not_take_a_piece_of_it_for_an_id(head: str, tmp_path: Path) -> None:
    cells = {"text": "价格3,500元太贵", "date": "5月", "id": "7"}
    ragged = ",".join(cells[name] for name in head.split(","))
    (tmp_path / "in.csv").write_text(f"{head}\n{ragged}\n{ragged.replace(',500', '')}\n", encoding="utf-8")
    assert score(tmp_path / "in.csv", tmp_path / "out.csv") == Summary(scored=1, failed=1)
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == ["1", "7"]
    assert [row["id"] for row in read_jsonl(rejects_path(tmp_path / "out.csv"))] == ["1"]


@pytest.mark.parametrize(("columns", "row_id"), [(Columns("正文", "号"), "7"), (Columns("正文"), "1")])
def test_an_id_left_of_the_text_is_that_of_its_row_whatever_the_text_has(
    columns: Columns, row_id: str, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("号,正文,id\n7,价格3,500元太贵,9\n", encoding="utf-8")
    score(tmp_path / "in.csv", tmp_path / "out.csv", columns)
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == [row_id]


def test_a_file_of_another_encoding_says_so_row_by_row(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "假货"), ("2", "fine")], "gb18030")
    assert score(source, tmp_path / "out.csv", encoding="utf-8") == Summary(scored=1, failed=1)
    assert "--encoding" in read_csv(tmp_path / "out.csv")[0]["error"]


def test_a_long_line_that_is_no_json_is_one_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_source, "MAX_LINE", 64)
    (tmp_path / "in.jsonl").write_text('{"text": "' + "x" * 1_000 + '"}\n{"text": "ok"}\n')
    assert score(tmp_path / "in.jsonl", tmp_path / "out.jsonl") == Summary(scored=1, failed=1)
    assert "more than 64 characters" in read_jsonl(tmp_path / "out.jsonl")[0]["error"]["message"]


def test_rejects_name_file_line_and_reason(tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    (folder / "a.csv").write_bytes('id,text\n1,假货\n2,"多行\n好"\n3,"open\n4,nul\0\n5,a,b\n,好\n'.encode())
    (folder / "b.jsonl").write_bytes(b'{"id": "x", "text": "ok"}\n\n{broken\n' + b"x" * 99 + b"\n{}\n")
    pq.write_table(pa.table({"text": ["ok", None, "x" * 6_000]}), folder / "c.parquet")
    target = tmp_path / "out.jsonl"

    summary = score(folder, target)

    rejects = read_jsonl(rejects_path(target))
    assert [(row["file"], row["line"], row["id"]) for row in rejects] == [
        ("a.csv", 5, "a.csv:3"),
        ("a.csv", 6, "4"),
        ("a.csv", 7, "5"),
        ("b.jsonl", 3, "b.jsonl:2"),
        ("b.jsonl", 4, "b.jsonl:3"),
        ("b.jsonl", 5, "b.jsonl:4"),
        ("c.parquet", 2, "c.parquet:2"),
        ("c.parquet", 3, "c.parquet:3"),
    ]
    reasons = " ".join(row["reason"] for row in rejects)
    assert all(word in reasons for word in ("unclosed quote", "NUL", "3 cells", "not valid JSON", "no field 'text'"))
    assert {row["code"] for row in rejects} == {"invalid_input"}
    assert summary == Summary(scored=5, failed=8, repeated=1)
    assert summary.read == len(read_jsonl(target))


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    for folder, text in (("a", "假货"), ("b", "好")):
        (tmp_path / folder).mkdir()
        write_csv(tmp_path / folder / "posts.csv", [("text",), (text,), ("",)])
    score(f"{tmp_path}/*/posts.csv", tmp_path / "out.csv")
    ids = ["a/posts.csv:1", "a/posts.csv:2", "b/posts.csv:1", "b/posts.csv:2"]
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == ids
    rejects = read_jsonl(rejects_path(tmp_path / "out.csv"))
    assert [row["file"] for row in rejects] == ["a/posts.csv", "b/posts.csv"]


def test_an_id_field_that_was_asked_for_and_is_not_there_fails_its_row(tmp_path: Path) -> None:
    """Its row's number would look like an id."""
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "1", "text": "x"}\n{"post": null, "text": "x"}\n{"post": "p", "text": "x"}\n')
    score(source, tmp_path / "out.jsonl", Columns(id="post"))
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["1", "2", "p"]
    assert [row["error"] is None for row in rows] == [False, True, True]
    assert rows[0]["error"]["message"] == "row 1: has no field 'post': it has id, text"


def test_no_window_holds_many_ids_of_a_megabyte() -> None:
    """They come back whole: 100 of them in one window took 560 MB."""
    raw = {"id": "长" * CHARACTERS, "text": "好"}
    rows = [(make_row(Place(number, number), raw, Columns()), 0.0) for number in range(1, 6)]
    assert [[row.error is not None for row in window.rows] for window in cut_windows(rows)] == [[True]] * 5

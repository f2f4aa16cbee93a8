"""Files in, files out: every row comes back once, in order, with its own answer or its own error."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyword_scorer import POISON, KeywordScorer

from data.errors import InputError
from data.records import Item
from data.results import Result
from serving.batch import text_source
from serving.batch.assemble import Summary, rejects_path
from serving.batch.flat import SCHEMA, flatten
from serving.batch.inputs import SUFFIXES
from serving.batch.pools import Here
from serving.batch.rows import Columns
from serving.batch.run import Job, Status, score_files
from serving.batch.sinks import KINDS
from serving.batch.windows import ROWS
from serving.wire import write_result

POSTS = [("a", "买到假货"), ("b", "挺好的"), ("c", f"{POISON}了"), ("d", '仓库爆炸，\n多人受伤，"急"')]


def score(
    source: Path | str, target: Path, columns: Columns | None = None, encoding: str | None = None, window: int = ROWS
) -> Summary:
    return score_files(Job(str(source), target, columns or Columns(), encoding, window=window), Here(KeywordScorer))


def write_csv(path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_jsonl(path: Path) -> list[dict]:  # type: ignore[type-arg]
    blob = path.read_bytes()
    blob = gzip.decompress(blob) if path.suffix == ".gz" else blob
    return [json.loads(line) for line in blob.splitlines()]


def source_of(kind: str, folder: Path) -> Path:
    path = folder / f"in{kind}"
    if kind == ".csv":
        return write_csv(path, [("id", "text"), *POSTS])
    if kind == ".parquet":
        ids, texts = zip(*POSTS, strict=True)
        pq.write_table(pa.table({"text": texts, "id": ids, "unused": texts}), path)
        return path
    lines = "".join(json.dumps({"id": i, "text": text, "source": "x"}) + "\n" for i, text in POSTS).encode()
    path.write_bytes(gzip.compress(lines) if kind.endswith(".gz") else lines)
    return path


def direct() -> list[Result]:
    return KeywordScorer().score([Item(id=i, text=text) for i, text in POSTS])


@pytest.mark.parametrize("kind", SUFFIXES)
def test_every_kind_of_input_gives_the_scorers_own_json(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    assert score(source_of(kind, tmp_path), target) == Summary(scored=3, failed=1)
    assert target.read_bytes() == b"".join(write_result(result) + b"\n" for result in direct())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_output_holds_the_same_rows(kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{kind}"
    score(source_of(".csv", tmp_path), target)
    flat = [flatten(result) for result in direct()]
    if kind == ".csv":
        cells = [{key: "" if cell is None else str(cell) for key, cell in row.items()} for row in flat]
        assert [{**row, "needs_review": row["needs_review"].capitalize()} for row in read_csv(target)] == cells
    elif kind == ".parquet":
        assert pq.read_table(target).schema.equals(SCHEMA)
        assert pq.read_table(target).to_pylist() == flat
    else:
        assert [row["id"] for row in read_jsonl(target)] == ["a", "b", "c", "d"]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("id", "text"), ("一", "假货"), ("𠮷", "好")], encoding)
    score(source, tmp_path / "out.csv", encoding=None if encoding.startswith("utf") else encoding)
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == ["一", "𠮷"]
    assert [row["category"] for row in read_csv(tmp_path / "out.csv")] == ["counterfeit_ip", "none"]


def test_a_file_of_another_encoding_says_so_row_by_row(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "假货"), ("2", "fine")], "gb18030")
    assert score(source, tmp_path / "out.csv", encoding="utf-8") == Summary(scored=1, failed=1)
    assert "--encoding" in read_csv(tmp_path / "out.csv")[0]["error"]


usable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(usable, min_size=1, max_size=6))
def test_ids_survive_every_pair_of_formats_byte_for_byte(
    ids: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    pq.write_table(pa.table({"id": ids, "text": ["好"] * len(ids)}), folder / "in.parquet")
    for kind in (".jsonl", ".csv", ".parquet"):
        score(folder / "in.parquet", folder / f"out{kind}")
    assert [row["id"] for row in read_jsonl(folder / "out.jsonl")] == ids
    assert [row["id"] for row in read_csv(folder / "out.csv")] == ids
    assert pq.read_table(folder / "out.parquet")["id"].to_pylist() == ids
    write_csv(folder / "in.csv", [("id", "text"), *((i, "好") for i in ids)])
    score(folder / "in.csv", folder / "again.jsonl")
    assert [row["id"] for row in read_jsonl(folder / "again.jsonl")] == ids


def test_other_column_names(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("号", "正文", "text"), ("x1", "假货", "好")])
    score(source, tmp_path / "out.csv", Columns(text="正文", id="号"))
    (row,) = read_csv(tmp_path / "out.csv")
    assert (row["id"], row["category"]) == ("x1", "counterfeit_ip")
    score(source, tmp_path / "out.csv", Columns(text="正文"))
    assert read_csv(tmp_path / "out.csv")[0]["id"] == "1"  # no column "id": the row's number


REFUSALS = {
    "no such file": ("missing.csv", "out.csv", Columns()),
    "unknown kind of file": ("in.txt", "out.csv", Columns()),
    "out.xlsx: unknown kind of file": ("in.csv", "out.xlsx", Columns()),
    "is the input": ("in.csv", "in.csv", Columns()),
    "give --text-column, one of: id, text": ("in.csv", "out.csv", Columns(text="nope")),
    "give --id-column, one of: id, text": ("in.csv", "out.csv", Columns(id="nope")),
    "has no column 'text'.*none, the file is empty": ("empty.csv", "out.csv", Columns()),
    "not a readable Parquet file": ("bad.parquet", "out.csv", Columns()),
    "cannot be unpacked": ("bad.jsonl.gz", "out.csv", Columns()),
    "no such directory": ("in.csv", "nowhere/out.csv", Columns()),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals_name_the_reason_and_leave_the_target_alone(reason: str, tmp_path: Path) -> None:
    source, target, columns = REFUSALS[reason]
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    for name in ("empty.csv", "bad.parquet", "bad.jsonl.gz", "in.txt"):
        (tmp_path / name).write_bytes(b"" if name == "empty.csv" else b"not what it says")
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(InputError, match=reason):
        score(tmp_path / source, tmp_path / target, columns)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert list(tmp_path.glob(".*.part")) == []


def test_unknown_encoding(tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text")])
    with pytest.raises(InputError, match="unknown encoding 'klingon'"):
        score(tmp_path / "in.csv", tmp_path / "out.csv", encoding="klingon")


def test_windows_do_not_show(tmp_path: Path) -> None:
    rows = [(str(n), f"假货{n}" if n % 3 else f"好{n}") for n in range(50)]
    source = write_csv(tmp_path / "in.csv", [("id", "text"), *rows])
    seen: list[Status] = []
    score(source, tmp_path / "one.jsonl")
    job = Job(str(source), tmp_path / "two.jsonl", window=7)
    score_files(job, Here(KeywordScorer), seen.append)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert [status.rows for status in seen] == [7, 14, 21, 28, 35, 42, 49, 50]
    assert seen[-1].share == 1.0


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


def test_a_gb18030_file_is_read_without_being_told(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "假货"), ("2", "fine")], "gb18030")
    assert score(source, tmp_path / "out.csv") == Summary(scored=2, failed=0)
    assert read_csv(tmp_path / "out.csv")[0]["category"] == "counterfeit_ip"


def test_a_long_line_that_is_no_json_is_one_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_source, "MAX_LINE", 64)
    (tmp_path / "in.jsonl").write_text('{"text": "' + "x" * 1_000 + '"}\n{"text": "ok"}\n')
    assert score(tmp_path / "in.jsonl", tmp_path / "out.jsonl") == Summary(scored=1, failed=1)
    assert "more than 64 characters" in read_jsonl(tmp_path / "out.jsonl")[0]["error"]["message"]


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    for folder, text in (("a", "假货"), ("b", "好")):
        (tmp_path / folder).mkdir()
        write_csv(tmp_path / folder / "posts.csv", [("text",), (text,), ("",)])
    score(f"{tmp_path}/*/posts.csv", tmp_path / "out.csv")
    ids = ["a/posts.csv:1", "a/posts.csv:2", "b/posts.csv:1", "b/posts.csv:2"]
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == ids
    rejects = read_jsonl(rejects_path(tmp_path / "out.csv"))
    assert [row["file"] for row in rejects] == ["a/posts.csv", "b/posts.csv"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])  # of the latter, the rejects
def test_the_output_may_not_match_the_pattern_that_is_read(name: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    (tmp_path / "in.jsonl").write_text('{"text": "x"}')
    with pytest.raises(InputError, match=r"matches the pattern that is read.*give a file elsewhere"):
        score(f"{tmp_path}/*.jsonl", tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "in.jsonl"]


def test_rejects_do_not_replace_the_input(tmp_path: Path) -> None:
    source = rejects_path(tmp_path / "out.csv")
    source.write_text('{"text": "x"}')
    with pytest.raises(InputError, match=r"rejects\.jsonl is the input"):
        score(source, tmp_path / "out.csv")
    assert source.exists()


def test_the_output_may_not_lie_in_the_folder_that_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    with pytest.raises(InputError, match="lies in the folder that is read"):
        score(tmp_path, tmp_path / "out.csv")

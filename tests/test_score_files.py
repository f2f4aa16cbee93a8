"""Files in, files out: every row comes back once, in order, with the scorer's own answer."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyword_scorer import POISON, KeywordScorer
from pydantic_core import to_json
from scored_files import read_csv, read_jsonl, score, write_csv

from data.records import MAX_TEXT, Item, Volume
from data.results import ItemError, Result, Signal, Word
from models.scorer import Scorer
from serving.batch.assemble import Summary, rejects_path
from serving.batch.flat import SCHEMA, flatten
from serving.batch.inputs import SUFFIXES
from serving.batch.pools import Here
from serving.batch.rows import Columns, Place, Row
from serving.batch.run import Job, Status, score_files
from serving.batch.sinks import KINDS
from serving.batch.windows import CHARACTERS, cut_windows
from serving.wire import write_result

POSTS = [("a", "买到假货"), ("b", "挺好的"), ("c", f"{POISON}了"), ("d", '仓库爆炸，\n多人受伤，"急"')]


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


def groups_of(path: Path, windows: int, row: bytes) -> list[int]:
    """Rows of each Parquet row group, after so many windows of 1,024 such rows."""
    with KINDS[".parquet"].open(path) as write:
        for _ in range(windows):
            write([(b'"a"', row)] * 1_024)
    found = pq.ParquetFile(path).metadata
    return [found.row_group(one).num_rows for one in range(found.num_row_groups)]


def test_a_parquet_file_has_few_row_groups(tmp_path: Path) -> None:
    """One for each window was a footer of 12 MB at 10 million rows, held in memory, and a file twice as large."""
    _, *cells = flatten(direct()[0]).values()
    assert groups_of(tmp_path / "out.parquet", 70, to_json(cells)) == [65_536, 6 * 1_024]
    assert groups_of(tmp_path / "none.parquet", 0, b"") == []


def test_rows_that_hold_much_fill_a_row_group_sooner(tmp_path: Path) -> None:
    cells = [None] * (len(SCHEMA) - 2) + ["x" * 40_000]
    assert groups_of(tmp_path / "out.parquet", 3, to_json(cells)) == [2_048, 1_024]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("id", "text"), ("一", "假货"), ("𠮷", "好")], encoding)
    score(source, tmp_path / "out.csv", encoding=None if encoding.startswith("utf") else encoding)
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == ["一", "𠮷"]
    assert [row["category"] for row in read_csv(tmp_path / "out.csv")] == ["counterfeit_ip", "none"]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(encoding: str, told: bool, tmp_path: Path) -> None:
    """It once was, so that ids gave way to row numbers unsaid."""
    csv, jsonl = tmp_path / "in.csv", tmp_path / "in.jsonl"
    csv.write_bytes("\ufeffid,text\na1,假货\n".encode(encoding))
    jsonl.write_bytes('\ufeff{"id": "a1", "text": "假货"}\n'.encode(encoding))
    for source in (csv, jsonl):
        assert score(source, tmp_path / "out.csv", encoding=encoding if told else None) == Summary(scored=1)
        assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == ["a1"]


@pytest.mark.parametrize("head", ["", "sep={}\r\n", "\r\n\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separators_of_spreadsheets(separator: str, head: str, tmp_path: Path) -> None:
    rows = f'编号{separator}正文\r\n7{separator}"假货,;\t"\r\n8{separator}好{separator}了\r\n'
    (tmp_path / "in.csv").write_text(head.format(separator) + rows, encoding="utf-16", newline="")
    assert score(tmp_path / "in.csv", tmp_path / "out.csv", Columns("正文", "编号")) == Summary(scored=1, failed=1)
    first, second = read_csv(tmp_path / "out.csv")
    assert (first["id"], first["category"]) == ("7", "counterfeit_ip")
    assert (second["id"], "3 cells where the header has 2" in second["error"]) == ("8", True)


def test_a_gb18030_file_is_read_without_being_told(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "假货"), ("2", "fine")], "gb18030")
    assert score(source, tmp_path / "out.csv") == Summary(scored=2, failed=0)
    assert read_csv(tmp_path / "out.csv")[0]["category"] == "counterfeit_ip"


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


def test_a_flat_row_has_each_word_once_and_no_doubt_of_what_was_not_read() -> None:
    words = tuple(Word(text, place, place + 2) for place, text in enumerate(("投诉", "曝光", "投诉")))
    signals = (Signal("escalation_threat", words), Signal("watch_word", words[:1]))
    read = flatten(Result(id="1", signals=signals, needs_review=True))
    assert (read["signals"], read["needs_review"]) == ("escalation_threat:投诉|曝光;watch_word:投诉", True)
    failed = flatten(Result(id="1", error=ItemError("empty_text", "text: nothing")))
    assert (failed["needs_review"], failed["error"]) == (None, "empty_text: text: nothing")


def test_a_flat_row_that_was_scored_in_part_says_what_the_answer_says(tiny_scorer: Scorer) -> None:
    volume = Volume(as_of=datetime(2026, 3, 15, tzinfo=UTC), counts=(1.0, 2.0))
    items = [Item(text="\u200b", volume=volume), Item(text="买到假货", volume=replace(volume, counts=(float("nan"),)))]
    for result in tiny_scorer.score(items):
        assert result.error is not None
        flat = flatten(result)
        assert (flat["needs_review"], flat["risk_rank"] is None) == (result.needs_review, result.risk is None)


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


@given(st.lists(st.integers(0, MAX_TEXT), max_size=40))
def test_a_window_holds_no_more_characters_than_its_last_row_adds(lengths: list[int]) -> None:
    rows = [Row(Place(n, n), str(n), item=Item(text="好" * (size * 20))) for n, size in enumerate(lengths, 1)]
    windows = [*cut_windows((row, 0.0) for row in rows)]
    assert [row.id for window in windows for row in window.rows] == [row.id for row in rows]
    held = [[20 * lengths[int(row.id or 0) - 1] for row in window.rows] for window in windows]
    assert all(sum(one[:-1]) < CHARACTERS for one in held)
    assert all(sum(one) >= CHARACTERS for one in held[:-1])


@pytest.mark.parametrize("kind", SUFFIXES)
def test_names_of_files_need_not_be_utf8(kind: str, tmp_path: Path) -> None:
    name = os.fsdecode("投诉".encode("gbk"))
    folder = tmp_path / name
    folder.mkdir()
    source = source_of(kind, tmp_path).rename(folder / f"{name}{kind}")
    score(folder, tmp_path / f"{name}{kind}")
    score(source, tmp_path / f"out{kind}")
    assert (tmp_path / f"{name}{kind}").read_bytes() == (tmp_path / f"out{kind}").read_bytes()
    (reject,) = read_jsonl(rejects_path(tmp_path / f"out{kind}"))
    assert reject["file"] == f"Ͷ\\xcb\\xdf{kind}"


def test_an_output_that_is_a_link_stays_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "假货"), ("2", POISON)])
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/true.csv").write_text("old")
    (tmp_path / "out.csv").symlink_to("disk/true.csv")
    score(tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").is_symlink()
    assert [row["id"] for row in read_csv(tmp_path / "disk/true.csv")] == ["1", "2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "in.csv", "out.csv"]
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == ["true.csv", "true.csv.rejects.jsonl"]

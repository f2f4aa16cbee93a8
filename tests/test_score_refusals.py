"""Files in, files out: what cannot be read or written at all is refused, and nothing is touched."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from scored_files import score, write_csv

from data.errors import InputError
from serving.batch.assemble import rejects_path
from serving.batch.rows import Columns

REFUSALS = {
    "no such file": ("missing.csv", "out.csv", Columns()),
    "unknown kind of file": ("in.txt", "out.csv", Columns()),
    "out.xlsx: unknown kind of file": ("in.csv", "out.xlsx", Columns()),
    "is the input": ("in.csv", "in.csv", Columns()),
    "give --text-column, one of: id, text": ("in.csv", "out.csv", Columns(text="nope")),
    "give --id-column, one of: id, text": ("in.csv", "out.csv", Columns(id="nope")),
    "has no column '': give --id-column": ("in.csv", "out.csv", Columns(id="")),
    "has no column 'text': it is empty: take it away": ("empty.csv", "out.csv", Columns()),
    "not a readable Parquet file": ("bad.parquet", "out.csv", Columns()),
    "cannot be unpacked": ("bad.jsonl.gz", "out.csv", Columns()),
    "no such directory": ("in.csv", "nowhere/out.csv", Columns()),
    "bytes that are no text: give --encoding": ("mark-less.csv", "out.csv", Columns()),
    r"one of: \\x1b\[2J, 列1, .*, 列19 and 381 more": ("wide.csv", "out.csv", Columns()),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals_name_the_reason_and_leave_the_target_alone(reason: str, tmp_path: Path) -> None:
    source, target, columns = REFUSALS[reason]
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    for name in ("empty.csv", "bad.parquet", "bad.jsonl.gz", "in.txt"):
        (tmp_path / name).write_bytes(b"" if name == "empty.csv" else b"not what it says")
    (tmp_path / "mark-less.csv").write_bytes("id,text\n1,好\n".encode("utf-16-le"))
    write_csv(tmp_path / "wide.csv", [["\x1b[2J", *(f"列{number}" for number in range(1, 401))]])
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(InputError, match=reason):
        score(tmp_path / source, tmp_path / target, columns)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("uri", ["s3://bucket/out.csv", "file:///tmp/out.csv"])
def test_the_output_is_no_uri(uri: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    with pytest.raises(InputError, match=r"out\.csv: OUT is a file on this machine"):
        score(tmp_path / "in.csv", Path(uri))


def test_a_read_only_output_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    (tmp_path / "out.csv").write_text("old")
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anything
    with pytest.raises(InputError, match=r"out\.csv is read-only"):
        score(tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "punycode", "idna", "undefined"])
def test_unknown_encoding(name: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text")])
    with pytest.raises(InputError, match=f"unknown encoding '{name}'"):
        score(tmp_path / "in.csv", tmp_path / "out.csv", encoding=name)


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


@pytest.mark.parametrize("name", ["out.csv", "out.csv.rejects.jsonl"])
def test_a_folder_in_the_place_of_an_output_is_told_before_the_work(name: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name} is a directory: give another file"):
        score(tmp_path / "in.csv", tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", name]


def test_the_output_may_not_lie_in_the_folder_that_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", [("id", "text"), ("1", "好")])
    with pytest.raises(InputError, match="lies in the folder that is read"):
        score(tmp_path, tmp_path / "out.csv")


def test_a_packed_file_that_was_cut_off_is_told_before_anything_is_scored(tmp_path: Path) -> None:
    """Its beginning can be read; a run of hours would end where it ends."""
    lines = "".join(f'{{"id": "{number}", "text": "快递丢了{number * 7919}"}}\n' for number in range(3_000))
    whole = gzip.compress(lines.encode())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"id": "1", "text": "好"}\n', encoding="utf-8")
    (tmp_path / "in" / "b.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"b\.jsonl\.gz cannot be unpacked"):
        score(tmp_path / "in", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert list(tmp_path.glob(".*")) == []

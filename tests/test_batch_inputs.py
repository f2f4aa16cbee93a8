"""What IN may name, and which encoding a file is in."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import fs

from data.encoding import SAMPLE, detect
from data.errors import InputError
from serving.batch.inputs import find_inputs, would_read
from serving.batch.rows import Columns
from serving.batch.sources import open_source

POST = "快递三天没动，客服也不回复"


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'{"text": "x"}\n')
    return folder


def test_a_folder_gives_its_files_of_known_kinds_in_the_order_of_their_names(tmp_path: Path) -> None:
    fill(tmp_path, "b.jsonl", "a.csv", "below/c.parquet", "d.jsonl.gz", "notes.md", ".hidden.csv", "_SUCCESS.csv")
    fill(tmp_path, ".git/e.csv")
    found = find_inputs(str(tmp_path))
    assert [one.name for one in found] == ["a.csv", "b.jsonl", "below/c.parquet", "d.jsonl.gz"]
    assert [one.suffix for one in found] == [".csv", ".jsonl", ".parquet", ".jsonl.gz"]
    assert not any(one.alone for one in found)


def test_a_pattern_a_file_and_a_uri(tmp_path: Path) -> None:
    fill(tmp_path, "b.jsonl", "a.jsonl", "c.csv", "odd[1].csv")
    assert [one.name for one in find_inputs(f"{tmp_path}/*.jsonl")] == ["a.jsonl", "b.jsonl"]
    assert [one.name for one in find_inputs(f"{tmp_path}/odd[1].csv")] == ["odd[1].csv"]
    assert [one.name for one in find_inputs(f"file://{tmp_path}/c.csv")] == ["c.csv"]
    assert len(find_inputs(f"file://{tmp_path}")) == 4
    (one,) = find_inputs(f"{tmp_path}/c.csv")
    assert one.alone
    with one.open() as file:
        assert file.read() == b'{"text": "x"}\n'


def test_files_of_a_pattern_have_the_names_that_tell_them_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fill(tmp_path, "a/posts.csv", "b/posts.csv", "b/deep/posts.csv"))
    for folder in ("", "./", "a/../", f"{tmp_path}/"):
        assert [one.name for one in find_inputs(f"{folder}*/posts.csv")] == ["a/posts.csv", "b/posts.csv"]
    assert [one.name for one in find_inputs("a*/posts.csv")] == ["posts.csv"]
    assert [one.name for one in find_inputs("a/*.csv")] == ["posts.csv"]
    assert [one.name for one in find_inputs("*/*/posts.csv")] == ["posts.csv"]
    assert [one.path for one in find_inputs("*/posts.csv")] == ["a/posts.csv", "b/posts.csv"]


def test_two_stars_stand_for_any_folders(tmp_path: Path) -> None:
    fill(tmp_path, "posts.csv", "2024/posts.csv", "2024/01/posts.csv")
    found = [one.name for one in find_inputs(f"{tmp_path}/**/*.csv")]
    assert found == ["2024/01/posts.csv", "2024/posts.csv", "posts.csv"]


def test_what_a_folder_has_besides_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path, "a.csv", "b.xlsx", "c.csv.gz", "d.ndjson", "e.tsv", ".hidden", "_SUCCESS")
    assert [one.name for one in find_inputs(str(tmp_path))] == ["a.csv"]
    assert (
        "left out what is none of .csv, .jsonl, .jsonl.gz, .parquet: 4 (b.xlsx, c.csv.gz, d.ndjson, …)" in caplog.text
    )


@pytest.mark.parametrize(
    ("source", "path", "where"),
    [
        ("posts", "posts/out.jsonl", "lies in the folder"),
        ("posts", "posts/below/out.jsonl", "lies in the folder"),
        ("posts", "out.jsonl", ""),
        ("posts/*.jsonl", "posts/out.jsonl", "matches the pattern"),
        ("posts/*.jsonl", "./posts/../posts/out.jsonl", "matches the pattern"),
        ("*/*.jsonl", "posts/out.jsonl", "matches the pattern"),
        ("*.jsonl", "out.jsonl", "matches the pattern"),
        ("**/*.jsonl", "posts/below/out.jsonl", "matches the pattern"),
        ("posts/**/*.jsonl", "posts/out.jsonl", "matches the pattern"),
        ("posts/*.jsonl", "out.jsonl", ""),
        ("posts/*.jsonl", "posts/out.csv", ""),
        ("posts/a*.jsonl", "posts/out.jsonl", ""),
        ("posts/a.jsonl", "posts/out.jsonl", ""),
        ("odd[1].csv", "odd1.csv", ""),
    ],
)
def test_what_a_source_would_read(
    source: str, path: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fill(tmp_path, "posts/a.jsonl", "posts/below/b.jsonl", "odd[1].csv"))
    assert would_read(source, Path(path)) == where
    assert would_read(source, tmp_path / path) == where


@pytest.mark.parametrize("place", ["posts", "out", "out/deep", "other"])
@pytest.mark.parametrize("source", ["posts", "posts/", "posts/**/*.csv", "link", "*/*.csv"])
def test_a_source_would_read_what_its_links_lead_to(
    source: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fill(tmp_path, "posts/a.csv", "out/deep/b.csv", "other/c.csv"))
    Path("posts/link").symlink_to(tmp_path / "out")
    Path("link").symlink_to("posts")
    Path("gone").symlink_to("nowhere")
    told = would_read(source, Path(place, "new.csv"))
    fill(tmp_path, f"{place}/new.csv")
    assert bool(told) == any(Path(one.path).samefile(f"{place}/new.csv") for one in find_inputs(source))


def test_a_uri_of_this_machine_is_a_folder_too(tmp_path: Path) -> None:
    assert would_read(f"file://{tmp_path}", tmp_path / "out.csv") == "lies in the folder"
    assert would_read(f"file://{tmp_path}/in.csv", tmp_path / "out.csv") == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere.csv", "no such file"),
        ("*.jsonl", "no such file"),
        ("empty", "no such file"),
        ("*", "unknown kind of file"),
        ("klingon://host/in.csv", "cannot be opened"),
        ("file:///nowhere/in.csv", "no such file"),
        ("file:///nowhere/*.csv", "give one file or a folder"),
        ("长" * 90 + ".csv", "cannot be read: .*name too long"),
    ],
)
def test_refusals_name_the_reason(source: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fill(tmp_path, "notes.md"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=reason):
        find_inputs(source)


@pytest.mark.parametrize("scheme", ["klingon", "s3"])  # the latter fails to connect
def test_the_secret_of_a_uri_is_not_told(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    place = "bucket/a.csv?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1"
    with pytest.raises(InputError, match=r"://\*\*\*@bucket/a\.csv.*cannot be") as told:
        find_inputs(f"{scheme}://AKIAX:wJal%2FrX@{place}")
    assert "AKIAX" not in str(told.value)
    assert "rX" not in str(told.value)


def test_a_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    fill(tmp_path, "a.jsonl", "b.jsonl", "c.jsonl")
    (tmp_path / "c.jsonl").write_bytes(b'{"text": "y"}\n')
    a, b, c = (one.fingerprint() for one in find_inputs(str(tmp_path)))
    assert a == b != c


@pytest.mark.parametrize(
    ("blob", "encoding"),
    [
        (POST.encode(), "utf-8"),
        (POST.encode("utf-8"), "utf-8"),
        (POST.encode("gb18030"), "gb18030"),
        (POST.encode("gbk"), "gb18030"),
        (POST.encode("utf-16"), "utf-16"),
        (b"plain ASCII", "utf-8"),
        (b"", "utf-8"),
        ((POST + "\n").encode() * 3 + POST.encode("gb18030"), "utf-8"),
        ((POST + "\n").encode("gb18030") * 3 + POST.encode(), "gb18030"),
        (POST.encode() * SAMPLE, "utf-8"),
        ((POST + "\n").encode("gb18030") * (SAMPLE // 8), "gb18030"),
    ],
)
def test_the_encoding_is_found_out(blob: bytes, encoding: str) -> None:
    assert detect(io.BytesIO(blob)) == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("start", range(6))
def test_a_first_line_longer_than_what_is_looked_at_tells_its_encoding(start: int, encoding: str) -> None:
    blob = ("x" * start + "好的" * SAMPLE).encode(encoding)
    assert detect(io.BytesIO(blob)) == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("start", [-3, -2, -1, 0, 1, SAMPLE, 3 * SAMPLE - 1])
@pytest.mark.parametrize("line", ["x\n", "x"])
def test_chinese_after_a_long_beginning_of_ascii_decides(line: str, start: int, encoding: str) -> None:
    ascii_only = (line * (SAMPLE + start))[: SAMPLE + start].encode()
    assert detect(io.BytesIO(ascii_only + f"买到{POST}\n".encode(encoding) * 3)) == encoding
    assert detect(io.BytesIO(ascii_only + ("好的" * SAMPLE).encode(encoding))) == encoding
    assert detect(io.BytesIO(ascii_only)) == "utf-8"


def test_a_mark_of_the_byte_order_in_the_middle_is_none() -> None:
    """Of UTF-16 it would make nonsense of all that was read before it."""
    assert detect(io.BytesIO(b"x" * SAMPLE + b"\xff\xfe\n")) == "utf-8"


class Slow:
    """A remote file that counts what is asked of it."""

    def __init__(self, system: fs.FileSystem) -> None:
        self.system, self.opened = system, 0

    def open_input_file(self, path: bytes) -> object:
        self.opened += 1
        return self.system.open_input_file(path)


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.jsonl.gz"])
def test_a_long_beginning_of_ascii_is_read_through_once(name: str, tmp_path: Path) -> None:
    post = "{}\n" if name == "in.csv" else '{{"text": "{}"}}\n'
    text = post.format("x" * 4_000) * (SAMPLE // 2_000) + post.format(POST)
    blob = ("text\n" * (name == "in.csv") + text).encode("gb18030")
    (tmp_path / name).write_bytes(gzip.compress(blob, 1) if name.endswith(".gz") else blob)
    [found] = find_inputs(str(tmp_path))
    slow = Slow(found.system)
    one = replace(found, system=slow)  # type: ignore[arg-type]
    for opened in (2, 3):
        with open_source(one, Columns(), None) as source:
            assert slow.opened == opened
            *_, row = source.rows
        assert row.item is not None
        assert row.item.text == POST


@pytest.mark.parametrize("text", ["質量很差，要退款", "這家店賣的是假貨，客服一直不回覆，我要投訴到消委會。\n" * 50])
def test_big5_is_refused_and_not_scored_as_nonsense(text: str) -> None:
    with pytest.raises(InputError, match=r"in\.csv is neither UTF-8 nor GB18030, perhaps Big5: give its encoding"):
        detect(io.BytesIO(text.encode("big5")), "in.csv")


def test_a_gzipped_file_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(f'{{"text": "{POST}"}}'.encode("gb18030")))
    (one,) = find_inputs(str(tmp_path))
    with open_source(one, Columns(), None) as source:
        (row,) = source.rows
    assert row.item is not None
    assert row.item.text == POST

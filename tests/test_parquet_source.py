"""Parquet files that are not what they say: one clear error, also where the damage is met only while reading."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from keyword_scorer import KeywordScorer

from data.errors import InputError
from serving.batch.pools import Here
from serving.batch.rows import Columns
from serving.batch.run import Job, score_files


def score(source: Path, columns: Columns | None = None) -> None:
    score_files(Job(str(source), source.parent / "out.csv", columns or Columns()), Here(KeywordScorer))


def test_a_damaged_page_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    texts = [f"买到假货，第{number}单" for number in range(2_000)]
    pq.write_table(pa.table({"text": texts}), path, use_dictionary=False, write_statistics=False)
    blob = bytearray(path.read_bytes())
    blob[200:4_000] = b"\xff" * 3_800
    path.write_bytes(blob)
    with pytest.raises(InputError, match=r"in\.parquet is a damaged Parquet file: .*: make it again"):
        score(path)
    assert [one.name for one in tmp_path.iterdir()] == ["in.parquet"]


def twice(names: list[str]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(["好", "假货"])] * len(names), names=names)


@pytest.mark.parametrize("name", ["id", "text"])
@pytest.mark.parametrize("kind", [".parquet", ".csv"])
def test_a_doubled_column_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    names = ["id", "text", name]
    path = tmp_path / f"in{kind}"
    if kind == ".csv":
        path.write_text(",".join(names) + "\n1,2,3\n")
    else:
        pq.write_table(twice(names), path)
    with pytest.raises(InputError, match=f"has 2 columns '{name}': rename"):
        score(path)


def test_a_doubled_column_that_is_not_read_does_no_harm(tmp_path: Path) -> None:
    pq.write_table(twice(["other", "text", "other"]), tmp_path / "in.parquet")
    score(tmp_path / "in.parquet")
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 3

"""Parquet files: volumes as in JSON lines; one clear error where a file is not what it says, met while reading too."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from keyword_scorer import KeywordScorer
from scored_files import read_jsonl

from data.errors import InputError
from serving.batch.pools import Here
from serving.batch.rows import Columns, Place, make_row
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


def test_names_of_columns_that_are_not_utf8_are_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["好"], "NAME": ["a"]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"NAME", "名称".encode("gbk")))
    with pytest.raises(InputError, match=r"in\.parquet is not a readable Parquet file: 'utf-8' codec"):
        score(path)


def twice(names: list[str]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(["好", "假货"])] * len(names), names=names)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("id", ".csv"), ("text", ".csv"), ("id", ".parquet"), ("text", ".parquet"), ("volume", ".parquet")],
)
def test_a_doubled_column_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    names = ["id", "text", name] if name in ("id", "text") else ["text", name, name]
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


AS_OF = datetime(2026, 3, 15, 12, tzinfo=UTC)
COUNTS = [3.0, None, 20.0]


def answers(folder: Path, kind: str) -> list[dict[str, Any]]:
    job = Job(str(folder / f"in{kind}"), folder / "out.jsonl")
    score_files(job, Here(KeywordScorer))
    return read_jsonl(folder / "out.jsonl")


def posts(volume: dict[str, object]) -> list[dict[str, Any]]:
    """A post, its topic's volume alone, and both; a field that a row does not have is null in a table."""
    return [
        {"id": "a", "text": "买到假货", "volume": None, "explain": True},
        {"id": "b", "text": None, "volume": volume, "explain": None},
        {"id": "c", "text": "挺好的", "volume": volume, "explain": False},
    ]


@pytest.mark.parametrize("write", [lambda volume: volume, lambda volume: {**volume, "as_of": AS_OF}, json.dumps])
def test_a_volume_of_a_table_scores_as_the_same_row_of_json_lines(
    write: Callable[[dict[str, object]], object], tmp_path: Path
) -> None:
    volume: dict[str, object] = {"as_of": AS_OF.isoformat(), "counts": COUNTS}
    lines = [{name: cell for name, cell in row.items() if cell is not None} for row in posts(volume)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    table = [{**row, "volume": row["volume"] and write(row["volume"])} for row in posts(volume)]
    pq.write_table(pa.Table.from_pylist(table), tmp_path / "in.parquet")
    expected = answers(tmp_path, ".jsonl")
    assert [row["escalation"] and row["escalation"]["probability"] for row in expected] == [None, 0.5, 0.5]
    assert answers(tmp_path, ".parquet") == expected


def test_a_struct_has_nulls_for_what_a_row_does_not_say(tmp_path: Path) -> None:
    short = {"as_of": AS_OF, "counts": [1.0, float("nan"), 30.0]}  # NaN: what pandas makes of a null
    long = {**short, "interval_minutes": 30, "authors": [1, 2, 3]}
    pq.write_table(pa.Table.from_pylist([{"volume": short}, {"volume": long}]), tmp_path / "in.parquet")
    assert [row["escalation"]["probability"] for row in answers(tmp_path, ".parquet")] == [0.5, 0.5]


def test_a_volume_that_is_none_fails_its_row_alone(tmp_path: Path) -> None:
    good = json.dumps({"as_of": AS_OF.isoformat(), "counts": COUNTS})
    table = pa.table({"text": ["好"] * 4, "volume": [good, "{", "17", None]})
    pq.write_table(table, tmp_path / "in.parquet")
    found = answers(tmp_path, ".parquet")
    assert [row["error"] is None for row in found] == [True, False, False, True]
    assert "row 2: volume: not valid JSON" in found[1]["error"]["message"]
    assert "row 3: volume: " in found[2]["error"]["message"]


def test_a_text_column_that_was_named_must_be_there_beside_a_volume_too(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"volume": {"as_of": AS_OF, "counts": [1]}}]), tmp_path / "in.parquet")
    with pytest.raises(InputError, match="no column 'content': give --text-column, one of: volume"):
        score(tmp_path / "in.parquet", Columns(text="content"))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**62, 0], pa.timestamp("us")),
        pa.array([2**30, 0], pa.date32()),
        pa.array([2**61, 0], pa.duration("s")),
        pa.array([1, 0], pa.timestamp("s", "Mars/Phobos")),
    ],
    ids=lambda column: str(column.type),
)
@pytest.mark.parametrize("name", ["id", "text", "volume"])
def test_a_cell_that_python_cannot_hold_fails_its_row_alone(name: str, column: pa.Array, tmp_path: Path) -> None:
    cells = {"id": pa.array(["a", "b"]), "text": pa.array(["好", "好"]), name: column}
    pq.write_table(pa.table({key: pa.concat_arrays([one, one]) for key, one in cells.items()}), tmp_path / "in.parquet")
    found = answers(tmp_path, ".parquet")
    assert len(found) == 4
    assert f"row 1: {name}" in found[0]["error"]["message"]


@pytest.mark.parametrize("as_of", [Decimal(20260315), b"20260315"])
def test_a_number_is_no_time_whatever_its_type(as_of: object) -> None:
    row = make_row(Place(1, 1), {"volume": {"as_of": as_of, "counts": [1]}}, Columns())
    assert row.error is not None
    assert "as_of: Value error, give ISO 8601" in row.error.message


def test_a_time_in_a_column_of_bytes_is_read() -> None:
    row = make_row(Place(1, 1), {"volume": {"as_of": AS_OF.isoformat().encode(), "counts": [1]}}, Columns())
    assert row.item is not None
    assert row.item.volume is not None
    assert row.item.volume.as_of == AS_OF

"""Ids of rows: what is an id comes back as it was given, and what is none says so instead of turning into a number."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from keyword_scorer import KeywordScorer
from scored_files import read_jsonl

from data.encoding import UNDECODABLE
from data.errors import InputError
from data.records import Item
from serving.batch.assemble import Summary
from serving.batch.pools import Here
from serving.batch.rows import Columns, Place, make_row, write_id
from serving.batch.run import Job, score_files

KEY = "6f1c0a52-3c1e-4d6b-9a55-0a2f8f0d9f11"
SNOWFLAKE = 1234567890123456789
NAN = float("nan")


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("w1", "w1"),
        ("017", "017"),
        (17, "17"),
        (-3, "-3"),
        (17.0, "17"),
        (-0.0, "0"),
        (2.0**53 - 1, "9007199254740991"),
        (Decimal("12345678901234567890"), "12345678901234567890"),
        (Decimal("1E+3"), "1000"),
        (Decimal("17.00"), "17"),
        (Decimal("9" * 60), "9" * 60),
        (uuid.UUID(KEY), KEY),
        (None, None),
        ("", None),
        (NAN, None),
    ],
)
def test_an_id_is_written_with_all_its_digits(given: object, written: str | None) -> None:
    assert write_id(given) == written


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (17.5, "id is a float that is not a whole number below"),
        (2.0**53, "id is a float that is not a whole number below"),
        (float(SNOWFLAKE), "id is a float that is not a whole number below"),
        (float("inf"), "id is a float"),
        (Decimal("1.5"), "id is a Decimal that is not a whole number"),
        (Decimal("NaN"), "id is a Decimal"),
        (10**250, "id is a int too long"),
        (True, "id is a bool"),
        (b"w1", "id is a bytes"),
        ([1], "id is a list"),
        ({"a": 1}, "id is a dict"),
        (datetime.date(2026, 1, 1), "id is a date"),
        (f"w{UNDECODABLE}", "id has bytes of another encoding: give --encoding"),
    ],
)
def test_what_is_no_id_is_a_bad_row_with_its_reason(given: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        write_id(given)
    row = make_row(Place(5, 6), {"id": given, "text": "好"}, Columns())
    assert row.item is None
    assert row.error is not None
    assert row.error.message.startswith(f"row 5: {told}")
    assert row.id == "5"


def test_no_id_is_the_place() -> None:
    for given in (None, "", NAN):
        assert make_row(Place(5, 6), {"id": given, "text": "好"}, Columns()).id == "5"
        assert make_row(Place(5, 6, "a.csv", alone=False), {"id": given, "text": "好"}, Columns()).id == "a.csv:5"


def test_a_place_may_be_longer_than_an_id() -> None:
    place = Place(5, 6, f"{'长' * 80}/{'长' * 80}/{'长' * 80}.csv", alone=False)
    row = make_row(place, {"text": "好"}, Columns())
    assert (row.id, row.error) == (f"{place.file}:5", None)


def parquet_ids(column: pa.Array, folder: Path) -> tuple[Summary, list[str]]:
    pq.write_table(pa.table({"id": column, "text": ["好"] * len(column)}), folder / "in.parquet")
    summary = score_files(Job(str(folder / "in.parquet"), folder / "out.parquet"), Here(KeywordScorer))
    return summary, pq.read_table(folder / "out.parquet")["id"].to_pylist()


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array([901.0, None, 903.0]), ["901", "2", "903"]),  # what pandas makes of whole numbers with a null
        (pa.array([Decimal(7), Decimal(10**19)], pa.decimal128(20, 0)), ["7", "10000000000000000000"]),
        (pa.array([SNOWFLAKE, 8], pa.int64()), [str(SNOWFLAKE), "8"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([uuid.UUID(KEY).bytes], pa.uuid()), [KEY]),
    ],
)
def test_ids_of_parquet_columns_come_back(column: pa.Array, ids: list[str], tmp_path: Path) -> None:
    assert parquet_ids(column, tmp_path) == (Summary(scored=len(ids), repeated=len(ids) - 1), ids)


def test_an_id_that_lost_digits_fails_its_row_alone(tmp_path: Path) -> None:
    summary, ids = parquet_ids(pa.array([float(SNOWFLAKE), 8.0]), tmp_path)
    assert (summary.scored, summary.failed) == (1, 1)
    assert ids == ["1", "8"]


def test_json_ids(tmp_path: Path) -> None:
    lines = [f'{{"id": {given}, "text": "x"}}' for given in ("17.0", "1.5", "1" * 5_000, "[1]", "null")]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    summary = score_files(Job(str(tmp_path / "in.jsonl"), tmp_path / "out.parquet"), Here(KeywordScorer))
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["id"] for row in rows] == ["17", "2", "3", "4", "5"]
    assert [row["error"] is None for row in rows] == [True, False, False, False, True]
    assert summary.failed == 3


def test_fields_that_no_score_depends_on_fail_no_row() -> None:
    odd = {"published_at": "2026-03-15 12:00:00", "platform": 7, "id": "a", "text": "假货"}
    row = make_row(Place(1, 1), odd, Columns())
    assert row.error is None
    assert row.item == Item(id="a", text="假货")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_an_id_column_without_a_name_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"in.{ending}"
    rows = [{"": 7, "id": 1, "text": "一"}, {"": 8, "id": 2, "text": "二"}]  # pandas writes its index so
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif ending == "csv":
        path.write_text(",id,text\n7,1,一\n8,2,二\n", encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    target = tmp_path / "out.jsonl"
    score_files(Job(str(path), target, Columns("text", "")), Here(KeywordScorer))
    assert [row["id"] for row in read_jsonl(target)] == ["7", "8"]


@pytest.mark.parametrize("name", ["explain", "volume"])
def test_a_text_column_may_have_the_name_of_an_option(name: str) -> None:
    row = make_row(Place(1, 1), {"id": "a", name: "快递丢了"}, Columns(name))
    assert row.item == Item(id="a", text="快递丢了")


@pytest.mark.parametrize("volume", ["", "  ", None])
def test_a_table_of_text_writes_null_as_nothing(volume: str | None) -> None:
    row = make_row(Place(1, 1), {"id": "a", "text": "快递丢了", "volume": volume}, Columns("text"))
    assert row.item == Item(id="a", text="快递丢了")

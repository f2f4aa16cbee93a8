"""Laws of the hot list on record: pinned rows are out, visits are cut at gaps, the line looks back only."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hot_list import hot, record, table_of

from data.errors import CorpusError
from data.hot_topics import LINE_SNAPSHOTS, WEEK, alarm_lines, episodes, hot_list_of, read_hot_list


def test_a_title_returns_as_a_new_episode_after_more_than_six_hours() -> None:
    slots = np.array([0, 1, 7, 14, 15, 0, 6])
    topics = np.array([0, 0, 0, 0, 0, 1, 1])
    assert episodes(topics, slots).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_advertisements_and_heat_zero_are_left_out_but_their_snapshots_are_known() -> None:
    table = table_of([(0.5, "a", 10, 1), (1.5, "b", 0, None), (2.5, "c", 30, 2), (3.5, "d", 40, 1)])
    table = table.set_column(table.column_names.index("ads"), "ads", pa.array([False, False, True, None]))
    found = hot_list_of(table)
    assert found.heat.tolist() == [10, 40]
    assert np.diff(found.snapshots) == pytest.approx([1, 1, 1])


def test_what_was_not_measured_is_nan() -> None:
    table = table_of([(0.5, "a", 10, None), (1.5, "a", 20, 3)])
    table = table.set_column(table.column_names.index("read"), "read", pa.array([None, 7], pa.int64()))
    found = hot_list_of(table)
    np.testing.assert_array_equal(found.rank, [np.nan, 3])
    np.testing.assert_array_equal(found.reads, [np.nan, 7])


def test_the_line_is_the_95th_percentile_of_the_week_to_now() -> None:
    time = np.arange(400.0)
    heat = time * 10
    lines = alarm_lines(time, heat, time)
    assert np.isnan(lines[: LINE_SNAPSHOTS - 1]).all()
    assert lines[LINE_SNAPSHOTS - 1] == pytest.approx(np.quantile(heat[:LINE_SNAPSHOTS], 0.95))
    assert lines[399] == pytest.approx(np.quantile(heat[400 - WEEK :], 0.95))


def test_the_future_moves_no_line() -> None:
    rows = [(i + 0.5, f"t{i % 7}", 100.0 + i * 13 % 50, 1.0) for i in range(200)]
    later = [(i + 0.5, "x", 1e6, 1.0) for i in range(200, 240)]
    early, whole = hot(rows), hot([*rows, *later])
    np.testing.assert_array_equal(early.line, whole.line[whole.time <= early.time.max()])


def test_rows_that_are_there_twice_or_in_any_order_are_the_same_record() -> None:
    rows = [(i + 0.5, f"t{i % 7}", 100.0 + i * 13 % 50, 1.0) for i in range(200)]
    table, wanted = table_of(rows), hot(rows)
    mixed = pa.concat_tables([table.slice(60, 30), table, table.slice(60, 30)])
    found = hot_list_of(mixed.take(pa.array(np.random.default_rng(0).permutation(len(mixed)))))
    for name in ("time", "topic", "episode", "snapshots", "heat", "line", "reads"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)


def test_a_record_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere\.parquet: no such file: give a Parquet file with the columns"):
        read_hot_list(tmp_path / "nowhere.parquet")


def test_a_row_without_a_time_is_told(tmp_path: Path) -> None:
    table = table_of([(0.0, "a", 10, 1), (1.0, "a", 10, 1)])
    times = pa.array([table["time"][0].as_py(), None], table.schema.field("time").type)
    pq.write_table(table.set_column(0, "time", times), tmp_path / "list.parquet")
    with pytest.raises(CorpusError, match=r"list\.parquet: 1 of 2 rows have no time: "):
        read_hot_list(tmp_path / "list.parquet")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit_are_the_same_record(tmp_path: Path, unit: str) -> None:
    table = table_of([(float(hour), "a", 10 + hour, 1) for hour in range(5)] + [(2.0, "b", 7, 2)])
    kind = pa.timestamp(unit, "Asia/Shanghai")
    pq.write_table(table.set_column(0, "time", table["time"].cast(kind)), tmp_path / "list.parquet")
    found, wanted = read_hot_list(tmp_path / "list.parquet"), hot_list_of(table)
    assert found.episode.tolist() == [0] * 5 + [1]
    for name in ("time", "topic", "episode", "snapshots", "heat"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)


def test_a_time_beyond_microseconds_is_told(tmp_path: Path) -> None:
    table = table_of([(0.0, "a", 10, 1)])
    beyond = pa.array([2**62], pa.timestamp("ms", "Asia/Shanghai"))
    pq.write_table(table.set_column(0, "time", beyond), tmp_path / "list.parquet")
    with pytest.raises(CorpusError, match=r"list\.parquet: time: "):
        read_hot_list(tmp_path / "list.parquet")


@pytest.mark.parametrize(
    ("name", "as_written"),
    [
        ("title", lambda column: column.dictionary_encode()),  # categories of pandas
        ("title", lambda column: column.cast(pa.large_string())),
        ("ads", lambda column: column.cast(pa.int64())),
        ("ads", lambda column: pa.nulls(len(column))),  # of pandas, where none is marked
        ("heat", lambda column: column.cast(pa.string())),
        ("read", lambda column: column.cast(pa.float32())),
    ],
)
def test_what_a_column_is_written_as_does_not_show(name: str, as_written: Any, tmp_path: Path) -> None:
    table = table_of([(float(hour), title, 10 + hour, 1) for hour in range(5) for title in "ab"])
    odd = table.set_column(table.column_names.index(name), name, as_written(table[name]))
    pq.write_table(odd, tmp_path / "list.parquet")
    found, wanted = read_hot_list(tmp_path / "list.parquet"), hot_list_of(table)
    for field in ("time", "topic", "episode", "snapshots", "heat", "reads"):
        np.testing.assert_array_equal(getattr(found, field), getattr(wanted, field), err_msg=field)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("heat", pa.array(["1万"])),
        ("ads", pa.array(["否"])),
        ("rank", pa.array([[1]])),
        ("heat", pa.array([np.inf])),
        ("read", pa.array([-np.inf])),
        ("title", pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())),
        ("time", pa.array([0], pa.timestamp("us", "Mars/Olympus"))),
        ("time", pa.array([-(10**17)], pa.timestamp("us", "UTC"))),
    ],
)
def test_a_cell_of_another_kind_names_its_column(name: str, cells: pa.Array, tmp_path: Path) -> None:
    table = table_of([(0.5, "a", 10, 1)])
    pq.write_table(table.set_column(table.column_names.index(name), name, cells), tmp_path / "list.parquet")
    with pytest.raises(CorpusError, match=rf"list\.parquet: {name}: .*: give "):
        read_hot_list(tmp_path / "list.parquet")


def test_a_zone_whose_name_is_damaged_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pq.write_table(table_of([(0.5, "a", 10, 1)]), path)
    schema = pq.read_metadata(path).metadata[b"ARROW:schema"]
    damaged = base64.b64decode(schema).replace(b"Asia/Shanghai", b"Asia/\xff\xff\xffnghai")
    path.write_bytes(path.read_bytes().replace(schema, base64.b64encode(damaged)))
    with pytest.raises(CorpusError, match=r"list\.parquet: time is in a zone whose name is not UTF-8: give "):
        read_hot_list(path)


@pytest.mark.parametrize("name", ["heat", "rank", "read", "discuss", "origin"])
def test_a_number_that_is_none_is_missing(name: str, tmp_path: Path) -> None:
    """In a record from pandas; one such heat took the alarm line of a week away."""
    table = table_of([(float(hour), title, 10 + hour, 1) for hour in range(WEEK) for title in "ab"])
    cells = table[name].to_pylist()
    found = []
    for missing in (None, np.nan):
        column = pa.array([missing, *cells[1:]], pa.float64())
        path = tmp_path / "list.parquet"
        pq.write_table(table.set_column(table.column_names.index(name), name, column), path)
        found.append(read_hot_list(path))
    for field in ("time", "heat", "rank", "reads", "discussions", "originals", "line"):
        one, other = (getattr(read, field) for read in found)
        np.testing.assert_array_equal(one, other, err_msg=field)


def test_rows_are_in_order_of_episode_and_time() -> None:
    found = record()
    assert (np.diff(found.episode) >= 0).all()
    assert (np.diff(found.time)[np.diff(found.episode) == 0] > 0).all()
    assert len(found.take(found.episode == 3).time) == (found.episode == 3).sum()


def test_a_record_is_read_back(tmp_path: Path) -> None:
    table = table_of([(0.5, "a", 10, 1), (1.5, "b", 20, 2)])
    pq.write_table(table, tmp_path / "list.parquet")
    assert read_hot_list(tmp_path / "list.parquet").heat.tolist() == [10, 20]


def test_a_record_without_topics_is_refused(tmp_path: Path) -> None:
    """A recalibration asked it for its last hour, which was a traceback."""
    for name, rows in (("empty", 0), ("pinned", 1)):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table_of([(1.0, "a", 0.0, 1.0)]).slice(0, rows), path)
        with pytest.raises(CorpusError, match=rf"{name}\.parquet holds no topic with a title and heat"):
            read_hot_list(path)


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.parquet").write_bytes(b"no parquet")
    with pytest.raises(CorpusError, match="give a Parquet file"):
        read_hot_list(tmp_path / "no.parquet")
    with pytest.raises(CorpusError, match="give a Parquet file"):
        read_hot_list(tmp_path / "absent.parquet")
    table = table_of([(0.5, "a", 10, 1)])
    pq.write_table(table.drop_columns(["rank"]), tmp_path / "part.parquet")
    with pytest.raises(CorpusError, match="rank"):
        read_hot_list(tmp_path / "part.parquet")
    pq.write_table(table.set_column(0, "time", pa.array(["now"])), tmp_path / "text.parquet")
    with pytest.raises(CorpusError, match="give timestamps"):
        read_hot_list(tmp_path / "text.parquet")
    pq.write_table(table.set_column(0, "time", table["time"].cast(pa.timestamp("us"))), tmp_path / "local.parquet")
    with pytest.raises(CorpusError, match="with a zone"):
        read_hot_list(tmp_path / "local.parquet")

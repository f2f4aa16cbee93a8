"""Ray and Spark give the answers of the local run; skipped where they are not installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soak_batch
from keyword_scorer import POISON, KeywordScorer

from data.errors import ConfigError, InputError
from data.records import Item
from data.results import Result
from serving.batch.flat import SCHEMA, flatten
from serving.batch.model import LoadScorer
from serving.batch.pools import Here
from serving.batch.ray_pool import RayActors
from serving.batch.rows import Columns
from serving.batch.run import Job, score_files
from serving.batch.spark import DDL, ScoreFrames

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or shutil.which("java") is None, reason="PySpark or Java is missing"
)
TEXTS = ("买到假货", "挺好的", f"{POISON}了", "仓库爆炸", "", None)


class MortalOnce(KeywordScorer):
    """Kills its process at the first window of all."""

    def __init__(self, mark: str) -> None:
        self.mark = Path(mark)

    def score(self, items: Sequence[Item]) -> list[Result]:
        if not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), 9)
        return super().score(items)


@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_ray_gives_the_bytes_of_the_local_run_also_when_an_actor_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])]))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # minutes instead of seconds where others use the cores
    source = soak_batch.write_posts(tmp_path / "in.jsonl", 500)
    pools = {"here": Here(KeywordScorer), "ray": RayActors(partial(MortalOnce, str(tmp_path / "died")), "local", 1)}
    for name, pool in pools.items():
        score_files(Job(str(source), tmp_path / f"{name}.jsonl", window=50), pool)
    assert (tmp_path / "died").exists()
    assert soak_batch.outputs(tmp_path / "ray.jsonl") == soak_batch.outputs(tmp_path / "here.jsonl")


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_remedy_is_named(tmp_path: Path) -> None:
    source = soak_batch.write_posts(tmp_path / "in.jsonl", 5)
    with pytest.raises(ConfigError, match=r"pip install -c constraints.txt -e '\.\[cluster\]'"):
        score_files(Job(str(source), tmp_path / "out.jsonl"), RayActors(KeywordScorer, "local"))


def frame() -> pd.DataFrame:
    return pd.DataFrame({"id": [str(n) for n in range(len(TEXTS))], "text": TEXTS, "other": 1.5})


def expected() -> list[dict[str, object]]:
    items = [Item(id=str(number), text=text) for number, text in enumerate(TEXTS) if text]
    return [flatten(result) for result in KeywordScorer().score(items)]  # type: ignore[misc]


def test_frames_in_frames_out() -> None:
    pieces: Iterator[pd.DataFrame] = iter([frame()[:4], frame()[4:]])
    scored = pd.concat(ScoreFrames(load=KeywordScorer)(pieces))
    assert list(scored.columns) == SCHEMA.names
    rows = scored.to_dict("records")
    assert rows[:4] == expected()
    assert [row["id"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert all("invalid_input: row" in row["error"] for row in rows[4:])


def test_the_settings_of_the_driver_are_those_of_every_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YUJING_BUNDLE", "mine")
    monkeypatch.setenv("YUJING_THREADS", "8")
    load = ScoreFrames().load
    monkeypatch.delenv("YUJING_BUNDLE")
    assert isinstance(load, LoadScorer)
    assert (load.settings.bundle, load.settings.threads) == (tmp_path / "mine", 1)


def test_numbers_and_missing_cells_of_frames() -> None:
    pieces = iter([pd.DataFrame({"号": [7, 8], "正文": ["买到假货", float("nan")]})])
    first, second = ScoreFrames(Columns("正文", "号"), KeywordScorer)(pieces).__next__().to_dict("records")
    assert (first["id"], first["category"], first["error"]) == ("7", "counterfeit_ip", None)
    assert second["id"] == "8"
    assert second["error"]
    with pytest.raises(InputError, match="no column id"):
        next(ScoreFrames(load=KeywordScorer)(iter([pd.DataFrame({"text": ["好"]})])))


@pytest.mark.parametrize("name", ["id", "text", "volume", "explain"])
def test_a_doubled_column_of_a_frame_is_refused(name: str) -> None:
    doubled = pd.DataFrame([["a", "好", None, None]], columns=["id", "text", name, name])
    with pytest.raises(InputError, match=rf"the frame has \d columns '{name}': rename all but one"):
        next(ScoreFrames(load=KeywordScorer)(iter([doubled])))


def test_ids_of_frames_are_theirs_or_null() -> None:
    ids = [901, None, None, 903]
    texts = ["买到假货", "好", "", "好"]
    for column in (pd.array(ids, "Int64"), pd.array(ids, "float64"), [Decimal(901), None, "", Decimal(903)]):
        frames = iter([pd.DataFrame({"id": column, "text": texts})])
        rows = next(ScoreFrames(load=KeywordScorer)(frames)).to_dict("records")
        assert [row["id"] for row in rows] == ["901", None, None, "903"]
        assert [row["error"] is None for row in rows] == [True, True, False, True]
    lost = iter([pd.DataFrame({"id": [1234567890123456789, None], "text": ["好", "好"]})])  # floats in pandas
    first, second = next(ScoreFrames(load=KeywordScorer)(lost)).to_dict("records")
    assert "give a text or whole-number column" in first["error"]
    assert (first["id"], second["id"], second["error"]) == (None, None, None)


def test_volumes_of_frames_count_as_those_of_files() -> None:
    struct = {"as_of": "2026-03-15T12:00:00Z", "counts": np.array([1.0, np.nan, 20.0]), "heat": None}
    text = '{"as_of": "2026-03-15T12:00:00Z", "counts": [1, 2]}'
    frame = pd.DataFrame({"id": ["a", "b", "c"], "volume": [struct, text, None], "explain": [None, True, False]})
    first, second, third = next(ScoreFrames(load=KeywordScorer)(iter([frame]))).to_dict("records")
    assert (first["escalation_probability"], first["error"]) == (0.5, None)
    assert (second["escalation_probability"], second["error"]) == (0.1, None)
    assert "an item needs text, or volume, or both" in third["error"]
    with pytest.raises(InputError, match="no column 正文"):
        next(ScoreFrames(Columns("正文", "id"), KeywordScorer)(iter([frame])))


@needs_spark
@pytest.mark.filterwarnings("ignore")
def test_spark_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])]))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path),
    }
    builder = SparkSession.builder.master("local[1]").config(map=settings)
    spark = builder.getOrCreate()
    try:
        posts = spark.createDataFrame(frame().drop(columns="other"), "id string, text string")
        rows = [row.asDict() for row in posts.mapInPandas(ScoreFrames(load=KeywordScorer), DDL).collect()]
    finally:
        spark.stop()
    assert sorted(rows, key=lambda row: row["id"])[:4] == expected()
    assert sum(row["error"] is not None for row in rows) == 3

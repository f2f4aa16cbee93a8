"""The benchmarks compare what belongs together, and their tables say what the JSON says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from models.bundle import Bundle
from models.scorer import Scorer
from serving.benchmarks.clients import Answered, Crowd
from serving.benchmarks.clock import Spent, Spread, compare, percentile, spend, take_turns
from serving.benchmarks.engines import OURS, PIPELINE, TORCH, run_engines
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.path import FILES, SCORER, run_path
from serving.benchmarks.texts import SHORT, read_texts, short_texts

MACHINE = {"cpu": "some CPU", "cores": 2, "load": 0.5}


def test_a_ratio_compares_two_turns_of_one_round() -> None:
    slow, fast = [Spent(2, 4), Spent(20, 40)], [Spent(1, 1), Spent(10, 10)]
    found = compare({"slow": slow, "fast": fast}, "fast", "slow", 10)
    assert found["times_by_cpu"] == Spread(4, 4, 4)
    assert found["times_by_clock"] == Spread(2, 2, 2)
    assert found["rows_per_second"] == Spread(5.5, 1, 10)


def test_each_contender_has_its_turn_in_each_round_and_one_to_warm_up() -> None:
    order: list[str] = []
    spent = take_turns({name: lambda name=name: order.append(name) for name in "abc"}, 2)  # type: ignore[misc]
    assert order == [*"abc", *"abc", *"bca"]
    assert {name: len(turns) for name, turns in spent.items()} == {"a": 2, "b": 2, "c": 2}


def test_waiting_is_time_by_the_clock_only() -> None:
    spent = spend(lambda: time.sleep(0.05))
    assert spent.wall >= 0.05
    assert spent.cpu < spent.wall


def test_percentiles_by_hand() -> None:
    assert [percentile([3, 1, 2, 4], share) for share in (0.5, 0.99, 1.0)] == [3, 4, 4]


def test_a_crowd_tells_served_from_refused() -> None:
    crowd = Crowd([Answered(200, 1.0), Answered(503, 0.1), Answered(500, 9.0)], 2.0)
    assert (crowd.served, crowd.refused) == ([1.0], [0.1])


def test_texts_are_the_same_at_every_call_and_the_samples_where_there_is_no_corpus(tmp_path: Path) -> None:
    assert read_texts(20) == read_texts(20)
    assert len(read_texts(300, tmp_path / "absent.jsonl.gz")) == 300
    assert len(set(short_texts(500))) == 500
    assert all(len(text) < SHORT.stop + 3 for text in short_texts(500))


@pytest.mark.parametrize("name", ["engines", "path"])
def test_a_part_runs_and_its_table_names_every_contender(name: str, tiny_bundle: Bundle, tiny_scorer: Scorer) -> None:
    texts = read_texts(12)
    found = run_engines(tiny_bundle, texts, 1) if name == "engines" else run_path(tiny_scorer, texts, 1)
    table = write_markdown({"machine": MACHINE, name: found})
    for contender in (PIPELINE, TORCH, *OURS.values()) if name == "engines" else (SCORER, FILES):
        assert contender in table

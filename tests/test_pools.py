"""Whoever scores, the bytes are the same; workers that die are replaced."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
import soak_batch
from keyword_scorer import KeywordScorer
from mortal_scorer import Mortal, refuse

from data.errors import BundleError
from data.records import Item
from serving.batch.pools import Here, Pool, WorkersLostError
from serving.batch.processes import Processes, cores
from serving.batch.run import Job, score_files
from serving.batch.sinks import KINDS


def run(source: Path, name: str, pool: Pool) -> tuple[bytes, bytes]:
    target = source.with_name(name)
    score_files(Job(str(source), target, window=50), pool)
    return soak_batch.outputs(target)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return soak_batch.write_posts(tmp_path / "in.jsonl", 500)


def test_processes_give_the_bytes_of_one_process_also_when_a_worker_is_killed(source: Path) -> None:
    here = run(source, "here.csv", Here(KeywordScorer))
    mark = source.with_name("died")
    assert run(source, "there.csv", Processes(partial(Mortal, mark), 2)) == here
    assert mark.exists()
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"] == "1"


def test_workers_that_always_die_end_the_run(source: Path) -> None:
    with pytest.raises(WorkersLostError, match="workers died 4 times in a row"):
        run(source, "out.csv", Processes(partial(Mortal, None), 1))
    assert not source.with_name("out.csv").exists()


def test_a_workers_expected_error_is_the_runs(source: Path) -> None:
    with pytest.raises(BundleError, match="tampered with"):
        run(source, "out.csv", Processes(refuse, 2))
    assert [path.name for path in source.parent.iterdir()] == ["in.jsonl"]


def test_a_file_of_one_window_needs_no_process(tmp_path: Path) -> None:
    source = soak_batch.write_posts(tmp_path / "in.jsonl", 40)
    pool = Processes(lambda: KeywordScorer(), 2)  # could not be sent to a process
    assert run(source, "one.csv", pool) == run(source, "here.csv", Here(KeywordScorer))


def test_bodies_have_no_tab_and_no_newline() -> None:
    (result,) = KeywordScorer().score([Item(id="\t\n", text="假货\t\n\r\x0b\u2028")])
    for kind in KINDS.values():
        assert not {b"\t", b"\n"} & {kind.body(result)[i : i + 1] for i in range(len(kind.body(result)))}


def test_there_is_a_core() -> None:
    assert cores() >= 1

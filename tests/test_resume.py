"""A run that was stopped goes on, and ends in the bytes of a run that was not."""

from __future__ import annotations

import fcntl
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soak_batch
from keyword_scorer import KeywordScorer

from data.errors import InputError
from data.results import Result
from serving.batch import run, sinks
from serving.batch.assemble import Summary, rejects_path
from serving.batch.pools import Done, Here
from serving.batch.rows import Columns
from serving.batch.run import Job, score_files
from serving.batch.windows import Window

ROWS, WINDOW = 400, 20
MODEL = {"bundle": "a"}


class StoppedError(Exception):
    """The power is cut."""


class Stopping(Here):
    """Ends after some windows; remembers which it was asked for."""

    def __init__(self, after: int) -> None:
        super().__init__(KeywordScorer)
        object.__setattr__(self, "after", after)
        object.__setattr__(self, "asked", [])

    def run(self, windows: Iterator[Window], kind: str) -> Iterator[Done]:
        for window, blob in super().run(windows, kind):
            self.asked.append(window.number)  # type: ignore[attr-defined]
            if len(self.asked) > self.after:  # type: ignore[attr-defined]
                raise StoppedError
            yield window, blob


def job(folder: Path, name: str = "out.jsonl") -> Job:
    return Job(str(folder / "in.jsonl"), folder / name, window=WINDOW, model=MODEL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    soak_batch.write_posts(tmp_path / "in.jsonl", ROWS)
    score_files(job(tmp_path, "quiet.jsonl"), Here(KeywordScorer))
    return tmp_path


def stop(given: Job, after: int) -> None:
    with pytest.raises(StoppedError):
        score_files(given, Stopping(after))


def append(path: Path, blob: bytes) -> None:
    path.write_bytes(path.read_bytes() + blob)


def same(folder: Path) -> bool:
    return soak_batch.outputs(folder / "out.jsonl") == soak_batch.outputs(folder / "quiet.jsonl")


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob(".out.jsonl.*.yujing/*.shard"))


@pytest.mark.parametrize("kind", [".jsonl", ".jsonl.gz", ".csv", ".parquet"])
def test_killed_at_random_moments_the_result_is_the_same_bytes(kind: str, tmp_path: Path) -> None:
    source = soak_batch.write_posts(tmp_path / "in.jsonl", 600)
    quiet, target = tmp_path / f"quiet{kind}", tmp_path / f"out{kind}"
    score_files(Job(str(source), quiet, window=50), Here(KeywordScorer))
    chance = random.Random()
    soak_batch.kill_until_done(soak_batch.command(source, target, 1, 50), windows=12, kills=2, chance=chance)
    assert soak_batch.outputs(target) == soak_batch.outputs(quiet)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_kill_does_not_show_in_the_row_groups(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "GROUP_ROWS", 3 * WINDOW)
    score_files(job(folder, "quiet.parquet"), Here(KeywordScorer))
    for after in (2, 4, 7):
        stop(job(folder, "out.parquet"), after)
    assert score_files(job(folder, "out.parquet"), Here(KeywordScorer)).resumed == 13 * WINDOW
    assert soak_batch.outputs(folder / "out.parquet") == soak_batch.outputs(folder / "quiet.parquet")
    assert pq.ParquetFile(folder / "out.parquet").metadata.num_row_groups == 7


def test_only_what_is_missing_is_scored(folder: Path) -> None:
    stop(job(folder), 7)
    pool = Stopping(100)
    summary = score_files(job(folder), pool)
    assert pool.asked == list(range(7, 20))  # type: ignore[attr-defined]
    assert summary.resumed == 7 * WINDOW
    assert summary.read == ROWS
    assert same(folder)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: append(path.parent / "manifest.jsonl", b'{"shard": 6, "ro'),
        lambda path: (path.parent / "manifest.jsonl").write_bytes(b"null\n[]\n\xff\n{}"),
        lambda path: (path.parent / "manifest.jsonl").unlink(),
        lambda path: (path.parent / "shard.part").write_bytes(b"half"),
    ],
)
def test_a_damaged_working_folder_costs_time_only(harm: object, folder: Path) -> None:
    stop(job(folder), 6)
    harm(shards(folder)[2])  # type: ignore[operator]
    stop(job(folder), 3)
    score_files(job(folder), Here(KeywordScorer))
    assert same(folder)


CHANGES: dict[str, Callable[[Job, pytest.MonkeyPatch], Job]] = {
    "format": lambda job, patch: patch.setattr(run, "FORMAT", -1) or job,
    "content of the input": lambda job, _: append(Path(job.source), b'{"text": "one more"}\n') or job,
    "name of the input": lambda job, _: replace(
        job, source=str(Path(job.source).rename(job.target.with_name("b.jsonl")))
    ),
    "columns": lambda job, _: replace(job, columns=Columns(text="id")),
    "encoding": lambda job, _: replace(job, encoding="gb18030"),
    "model": lambda job, _: replace(job, model={"bundle": "b"}),
    "rows of a window": lambda job, _: replace(job, window=2 * WINDOW),
    "characters of a window": lambda job, patch: patch.setattr(run, "CHARACTERS", 10**9) or job,
    "what is remembered": lambda job, patch: patch.setattr(run, "REMEMBERED", 0) or job,
    "body": lambda job, patch: patch.setitem(run.KINDS, ".jsonl", replace(run.KINDS[".jsonl"], body=_body)) or job,
}


def _body(result: Result) -> bytes:
    return b'"another body"}'


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_goes_on_only_where_all_that_its_shards_depend_on_is_the_same(
    change: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(job(folder), 6)
    pool = Stopping(100)
    assert score_files(CHANGES[change](job(folder), monkeypatch), pool).resumed == 0
    assert pool.asked[:3] == [0, 1, 2]  # type: ignore[attr-defined]
    assert shards(folder) == []


def test_what_is_scored_anew_is_the_changed_input(folder: Path) -> None:
    stop(job(folder), 6)
    append(folder / "in.jsonl", b'{"text": "one more"}\n')
    assert score_files(job(folder), Here(KeywordScorer)) == Summary(*_counts(folder), resumed=0)


def _counts(folder: Path) -> tuple[int, int, int]:
    again = score_files(job(folder, "again.jsonl"), Here(KeywordScorer))
    assert again.read == ROWS + 1
    return again.scored, again.failed, again.repeated


def test_a_run_that_is_stopped_leaves_the_old_output(folder: Path) -> None:
    (folder / "out.jsonl").write_text("old")
    stop(job(folder), 3)
    assert (folder / "out.jsonl").read_text() == "old"
    assert not rejects_path(folder / "out.jsonl").exists()


def test_rejects_of_an_earlier_run_go(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    for text, there in (("{broken", True), ('{"text": "好"}', False)):
        source.write_text(text, encoding="utf-8")
        score_files(Job(str(source), target), Here(KeywordScorer))
        assert rejects_path(target).exists() == there


def test_two_runs_do_not_write_one_output(folder: Path) -> None:
    with (folder / ".out.jsonl.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run"):
            score_files(job(folder), Here(KeywordScorer))
    score_files(job(folder), Here(KeywordScorer))
    assert same(folder)

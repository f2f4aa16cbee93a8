"""The working folder of a run: nobody else's is touched, and what keeps it from being written is one clear error."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import pytest
import soak_batch
from full_disk import files_up_to
from keyword_scorer import KeywordScorer

from data.errors import InputError
from serving.batch.journal import KEY, MANIFEST, open_journal
from serving.batch.pools import Here
from serving.batch.run import Job, score_files

ROWS, WINDOW = 400, 20


def score(folder: Path, name: str) -> int:
    return score_files(Job(str(folder / "in.jsonl"), folder / name, window=WINDOW), Here(KeywordScorer)).resumed


def leave(target: Path, digest: str) -> Path:
    """The working folder of a run that was killed after its first shard."""
    with suppress(KeyboardInterrupt), open_journal(target, digest) as journal:
        journal.save(0, b"shard", 1)
        raise KeyboardInterrupt
    folder = target.with_name(f".{target.name}.{digest[:KEY]}.yujing")
    assert folder.is_dir()
    return folder


@pytest.mark.parametrize("others", ["out.jsonl.gz", "out.jsonl.csv", "out.jsonl.0123456789abcdef.csv"])
def test_a_run_leaves_what_runs_for_other_targets_have_done(others: str, tmp_path: Path) -> None:
    kept = leave(tmp_path / others, "a" * 64)
    with open_journal(tmp_path / "out.jsonl", "b" * 64):
        assert kept.is_dir()
    assert kept.is_dir()


def test_what_another_job_left_for_its_target_goes_once_a_run_has_ended_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "out[1].jsonl"
    left = leave(target, "a" * 64)
    assert caplog.text == ""
    with open_journal(target, "b" * 64):
        assert [one.getMessage().partition(" is kept")[0] for one in caplog.records] == [
            f"{target}: an unfinished run with other options, bundle, input or version of Yujing"
        ]
        assert left.is_dir()
    assert [*tmp_path.iterdir()] == []


def test_a_mistyped_run_costs_nothing_of_the_right_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = tmp_path / "out.jsonl"
    leave(target, "a" * 64)
    leave(target, "b" * 64)
    with pytest.raises(InputError, match="no such column"), open_journal(target, "c" * 64):
        raise InputError("no such column")
    with open_journal(target, "a" * 64) as journal:
        assert (journal.rows, journal.read(0)) == ({0: 1}, b"shard")
    assert len(caplog.records) == 3  # b, c, and a again: once each
    assert [*tmp_path.iterdir()] == []


def test_a_folder_in_which_nothing_is_done_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A kill before the first shard leaves it."""
    (tmp_path / f".out.jsonl.{'a' * KEY}.yujing").mkdir()
    with open_journal(tmp_path / "out.jsonl", "b" * 64):
        assert caplog.text == ""
    assert [*tmp_path.iterdir()] == []


def test_two_jobs_do_not_write_one_target_at_once(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    with open_journal(target, "a" * 64) as journal:
        journal.save(0, b"shard", 1)
        for digest in ("a" * 64, "b" * 64):
            with pytest.raises(InputError, match="another run"), open_journal(target, digest):
                pytest.fail("two at once")
        assert journal.read(0) == b"shard"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("instead", ["nothing", "another file"])
def test_a_lock_that_its_owner_has_just_removed_is_none(
    instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our opening and our locking: who comes next makes a file of that name, and locks that one."""
    lock = tmp_path / ".out.jsonl.lock"

    def late(file: int, how: int) -> None:
        lock.unlink()
        if instead == "another file":
            lock.touch()
        locked(file, how)

    locked = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(InputError, match="another run"), open_journal(tmp_path / "out.jsonl", "a" * 64):
        pytest.fail("under a lock that nobody else sees")
    assert [*tmp_path.iterdir()] == ([lock] if instead == "another file" else [])


def test_a_line_that_a_kill_has_torn_spoils_no_other(tmp_path: Path) -> None:
    folder = leave(tmp_path / "out.jsonl", "a" * 64)
    with (folder / MANIFEST).open("ab") as file:
        file.write(b'{"shard": 1, "ro')
    with suppress(KeyboardInterrupt), open_journal(tmp_path / "out.jsonl", "a" * 64) as journal:
        journal.save(2, b"another shard", 5)
        raise KeyboardInterrupt
    with open_journal(tmp_path / "out.jsonl", "a" * 64) as journal:
        assert journal.rows == {0: 1, 2: 5}


# 78 characters of 3 bytes are a name that the system takes, but the hidden names beside it are longer; 90 are none.
@pytest.mark.parametrize("characters", [78, 90])
def test_a_name_that_is_too_long_is_one_clear_error(characters: int, tmp_path: Path) -> None:
    soak_batch.write_posts(tmp_path / "in.jsonl", 5)
    with pytest.raises(InputError, match=r"cannot be written: File name too long: give a shorter name"):
        score(tmp_path, "舆" * characters + ".jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


@pytest.mark.skipif(os.access("/sys", os.W_OK) and os.geteuid() != 0, reason="every folder here may be written")
@pytest.mark.skipif(not Path("/sys").is_dir(), reason="no folder that nobody may write")
def test_a_folder_that_may_not_be_written_is_one_clear_error(tmp_path: Path) -> None:
    soak_batch.write_posts(tmp_path / "in.jsonl", 5)
    with pytest.raises(
        InputError, match=r"^/sys/out\.jsonl cannot be written: .*: give a file in a folder that may be"
    ):
        score_files(Job(str(tmp_path / "in.jsonl"), Path("/sys/out.jsonl")), Here(KeywordScorer))


def test_a_folder_that_is_gone_is_not_called_another_run(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="cannot be written: No such file"),
        open_journal(tmp_path / "no" / "o", "a" * 64),
    ):
        pytest.fail("nothing was opened")


@pytest.mark.parametrize("kind", [".jsonl", ".jsonl.gz", ".csv", ".parquet"])
def test_a_disk_that_fills_up_loses_nothing_that_is_done(kind: str, tmp_path: Path) -> None:
    soak_batch.write_posts(tmp_path / "in.jsonl", ROWS)
    score(tmp_path, f"quiet{kind}")
    (tmp_path / f"out{kind}").write_text("old")
    with files_up_to(500), pytest.raises(InputError, match=r"cannot be written: .*: make room and repeat"):
        score(tmp_path, f"out{kind}")  # no shard fits
    room = (tmp_path / f"quiet{kind}").stat().st_size - 1
    with files_up_to(room), pytest.raises(InputError, match=r"cannot be written: .*: make room"):
        score(tmp_path, f"out{kind}")
    assert (tmp_path / f"out{kind}").read_text() == "old"
    resumed = score(tmp_path, f"out{kind}")
    assert resumed > 0 or kind == ".jsonl.gz"  # smaller than one shard
    assert soak_batch.outputs(tmp_path / f"out{kind}") == soak_batch.outputs(tmp_path / f"quiet{kind}")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

"""What is deleted is gone and stays away, what is older than the retention goes."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from full_disk import files_up_to
from keyword_scorer import KeywordScorer
from stored import answer, right, rows, spool_rows, until

from data.records import Item
from data.taxonomy import load_taxonomy
from serving.store import queries, retention
from serving.store.database import Database
from serving.store.errors import StoreDownError, UnknownPredictionError
from serving.store.memory import Memory
from serving.store.records import Prediction
from serving.store.rows import to_row, with_ids
from serving.store.settings import StoreSettings
from serving.store.spool import Spool
from serving.store.standing import Standing
from serving.store.tables import deletions, feedback

pytest_plugins = ["store_fixtures"]


def test_deletion_takes_the_corrections_and_leaves_no_trace(memory: Memory, settings: StoreSettings) -> None:
    gone, kept = answer(memory, "独一无二的投诉", "假货")
    memory.correct(right(gone, note="独一无二的备注"))
    memory.correct(right(kept))
    memory.delete(gone)
    assert [row["id"] for row in rows(settings)] == [kept]
    assert [row["prediction_id"] for row in rows(settings, feedback)] == [kept]
    with pytest.raises(UnknownPredictionError):
        memory.correct(right(gone))
    memory.close()
    left = b"".join(path.read_bytes() for path in settings.folder.iterdir())
    assert "独一无二".encode() not in left


def test_what_is_older_than_the_retention_goes(settings: StoreSettings) -> None:
    items = [Item(id=str(days), text="假货") for days in range(6)]
    results = with_ids(KeywordScorer().score(items))
    base = Database(settings.database())
    with base.write() as connection:
        now = datetime.now(UTC)
        queries.insert_predictions(
            connection,
            [
                to_row(item, result, now - timedelta(days=days), 1.0, 1, "masked")
                for days, (item, result) in enumerate(zip(items, results, strict=True))
            ],
        )
        queries.insert_correction(connection, right(results[5].prediction_id or ""), now)
    base.close()
    short = StoreSettings(folder=settings.folder, url=settings.url, days=3)
    memory = Memory(short, load_taxonomy())
    until(lambda: len(rows(settings)) == 3)
    memory.close()
    assert {row["item_id"] for row in rows(settings)} == {"0", "1", "2"}
    assert rows(settings, feedback) == []


def test_the_oldest_go_first_when_there_are_many(settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PURGED", 2)
    base, now = Database(settings.database()), datetime.now(UTC)
    old = {days: spool_rows(1, now - timedelta(days=days))[0] for days in (5, 9, 7, 1, 8)}
    with base.write() as connection:
        queries.insert_predictions(connection, [*old.values()])
        assert queries.purge(connection, now - timedelta(days=3)) == 2
    assert {row["id"] for row in rows(settings)} == {old[days].id for days in (5, 7, 1)}
    base.close()
    memory = Memory(replace(settings, days=3), load_taxonomy())
    until(lambda: [row["id"] for row in rows(settings)] == [old[1].id])
    memory.close()


def test_the_retention_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PURGE_SECONDS", "AGAIN_SECONDS"):
        monkeypatch.setattr(retention, name, 0.0)
    base = Database(StoreSettings(folder=tmp_path).database())
    keeper = retention.Retention(base, Standing(), days=3)
    keeper.work()  # nothing is there
    [old] = spool_rows(1, datetime.now(UTC) - timedelta(days=4))
    with base.write() as connection:
        queries.insert_predictions(connection, [replace(old, text="独一无二的投诉")])
    assert "独一无二".encode() in files(tmp_path)
    keeper.work()
    assert "独一无二".encode() not in files(tmp_path)
    base.close()


def test_a_prediction_can_be_deleted_as_soon_as_it_was_answered(memory: Memory, settings: StoreSettings) -> None:
    for _ in range(5):
        memory.delete(answer(memory, "假货")[0])
    assert rows(settings) == []


def files(folder: Path) -> bytes:
    """Read by another process: when this one closes a file that SQLite has open, its locks are gone."""
    return subprocess.run(["cat", *folder.iterdir()], check=False, stdout=subprocess.PIPE).stdout


def test_traces_that_a_reader_held_go_when_it_has_ended(impatient: None, tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path, days=0)  # no purge that would take them along
    memory = Memory(settings, load_taxonomy())
    [gone] = answer(memory, "独一无二的投诉")
    until(lambda: len(rows(settings)) == 1)
    reader = sqlite3.connect(tmp_path / "yujing.sqlite3", isolation_level=None)
    with closing(reader):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM predictions").fetchall()
        memory.delete(gone)
        assert rows(settings) == []
        assert "独一无二".encode() in files(tmp_path)  # the reader's view of it
        assert len(answer(memory, "假货")) == 1
        until(lambda: len(rows(settings)) == 1)  # nobody waits for the reader
        reader.execute("ROLLBACK")
    until(lambda: "独一无二".encode() not in files(tmp_path))
    memory.close()


def test_traces_that_a_full_disk_held_go_when_there_is_room(impatient: None, tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path, days=0)
    memory = Memory(settings, load_taxonomy())
    many = answer(memory, *["假货" * 2_000] * 50)
    [gone] = answer(memory, "独一无二的投诉")  # at the end of the file
    until(lambda: len(rows(settings)) == len(many) + 1)
    assert memory._database.forget_journal()
    size = (tmp_path / "yujing.sqlite3").stat().st_size
    with files_up_to(size // 2):
        memory.delete(gone)  # the journal has room, what is moved from it into the file has none
        with pytest.raises(UnknownPredictionError):
            memory.delete(gone)
        assert "独一无二".encode() in files(tmp_path)
    until(lambda: "独一无二".encode() not in files(tmp_path))
    memory.close()


def elsewhere(settings: StoreSettings) -> StoreSettings:
    """Another process' store: the same database, a folder of its own."""
    folder = settings.folder / "elsewhere"
    folder.mkdir()
    return StoreSettings(folder=folder, url=settings.url or f"sqlite:///{settings.folder}/yujing.sqlite3")


def waits_on_disk(settings: StoreSettings, count: int) -> list[Prediction]:
    """Rows that a process which was killed left in its spool."""
    waiting = spool_rows(count, datetime.now(UTC))
    with closing(Spool(settings.folder, count)) as spool:
        spool.append(waiting)
    return waiting


def drained(settings: StoreSettings) -> set[str]:
    """Start a process, wait until its spool is empty, stop it; what is stored then."""
    memory = Memory(settings, load_taxonomy())
    until(lambda: not [*settings.folder.glob("spool-*.jsonl")])
    memory.close()
    return {row["id"] for row in rows(settings)}


def test_a_spool_that_is_read_again_after_a_kill_brings_nothing_back(settings: StoreSettings) -> None:
    first, second, third = waits_on_disk(settings, 3)
    other = Memory(elsewhere(settings), load_taxonomy())
    other._writer.put([first, second])  # they had arrived when the process was killed
    other.delete(first.id)
    other.close()
    assert drained(settings) == {second.id, third.id}


def test_what_waits_in_another_pods_spool_is_unknown_but_will_not_be_stored(settings: StoreSettings) -> None:
    first, second = waits_on_disk(settings, 2)
    other = Memory(elsewhere(settings), load_taxonomy())
    with pytest.raises(UnknownPredictionError):
        other.delete(first.id)
    other.close()
    assert drained(settings) == {second.id}


def test_notes_of_deletions_go_with_the_retention(settings: StoreSettings) -> None:
    base, now = Database(settings.database()), datetime.now(UTC)
    with base.write() as connection:
        for days in (1, 100):
            assert not queries.delete_prediction(connection, f"{days:032}", now - timedelta(days=days))
        assert queries.purge(connection, now - timedelta(days=90)) == 0
    base.close()
    assert [row["id"] for row in rows(settings, deletions)] == [f"{1:032}"]


def test_notes_of_deletions_go_also_where_predictions_stay(settings: StoreSettings) -> None:
    base, now = Database(settings.database()), datetime.now(UTC)
    [old] = spool_rows(1, now - timedelta(days=1_000))
    with base.write() as connection:
        queries.insert_predictions(connection, [old])
        for days in (1, 100):
            queries.delete_prediction(connection, f"{days:032}", now - timedelta(days=days))
    base.close()
    memory = Memory(replace(settings, days=0), load_taxonomy())
    until(lambda: [row["id"] for row in rows(settings, deletions)] == [f"{1:032}"])
    memory.close()
    assert [row["id"] for row in rows(settings)] == [old.id]


def test_ids_that_were_never_given_do_not_fill_the_disk(
    memory: Memory, settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be noted is not confirmed: 503, which is sent again; known ones are deleted all the same."""
    monkeypatch.setattr(queries, "MAX_NOTES", 3)
    given = answer(memory, "假货", "投诉")
    for number in range(3):
        with pytest.raises(UnknownPredictionError):
            memory.delete(f"{number:032}")
    with pytest.raises(StoreDownError, match="too many deletions of unknown predictions"):
        memory.delete(f"{3:032}")
    with pytest.raises(UnknownPredictionError):
        memory.delete(f"{0:032}")  # is noted
    memory.delete(given[0])
    assert [row["id"] for row in rows(settings)] == [given[1]]
    assert {row["id"] for row in rows(settings, deletions)} == {*(f"{number:032}" for number in range(3)), given[0]}

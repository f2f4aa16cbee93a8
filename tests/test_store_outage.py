"""The database goes away and comes back: answers go on, nothing that was spooled is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import pytest
from stored import PHONE, TEXT, Outage, answer, metric, right, rows, spool_rows, until

from data.taxonomy import load_taxonomy
from serving.store import metrics, queries, standing, writer
from serving.store.database import Database
from serving.store.errors import StoreDownError, UnknownPredictionError
from serving.store.memory import Memory
from serving.store.settings import StoreSettings
from serving.store.spool import Spool
from serving.store.tables import feedback

pytest_plugins = ["store_fixtures"]


def test_answers_go_on_while_the_database_is_down_and_arrive_later(outage: Outage, settings: StoreSettings) -> None:
    memory = Memory(settings, load_taxonomy())
    early = answer(memory, TEXT)
    until(lambda: len(rows(settings)) == 1)
    spooled = metric("yujing_store_rows_total", outcome="spooled")
    outage.begin()
    late = [answer(memory, TEXT, "挺好") for _ in range(20)]
    until(lambda: metric("yujing_store_rows_total", outcome="spooled") == spooled + 40)
    assert metric("yujing_store_up") == 0
    assert metric("yujing_store_spool_rows") == 40
    spool = (settings.folder / "spool-0.jsonl").read_text(encoding="utf-8")
    assert PHONE not in spool
    assert "138****5678" in spool
    with pytest.raises(StoreDownError):
        memory.correct(right(early[0]))  # cannot be durable now: the caller keeps it
    with pytest.raises(StoreDownError):
        memory.delete(late[0][0])
    outage.end()
    until(lambda: metric("yujing_store_spool_rows") == 0)
    assert {row["id"] for row in rows(settings)} == {*early, *(one for pair in late for one in pair)}
    assert metric("yujing_store_up") == 1
    assert not (settings.folder / "spool-0.jsonl").exists()
    memory.correct(right(late[0][0]))
    memory.close()


def test_a_service_can_start_while_the_database_is_down(outage: Outage, settings: StoreSettings) -> None:
    outage.begin()
    memory = Memory(settings, load_taxonomy())
    ids = answer(memory, "假货")
    until(lambda: metric("yujing_store_spool_rows") == 1)
    outage.end()
    memory.close()
    memory = Memory(settings, load_taxonomy())  # a later process takes the spool over
    until(lambda: {row["id"] for row in rows(settings)} == set(ids))
    memory.close()


def test_what_a_database_keeps_waiting_at_the_end_goes_to_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead connection may rightly take longer than the end of the service waits."""
    base, go = Database(StoreSettings(folder=tmp_path).database()), threading.Event()

    @contextmanager
    def write() -> Iterator[None]:
        assert go.wait(20)
        raise StoreDownError("gone")
        yield

    monkeypatch.setattr(base, "write", write)
    spool = Spool(tmp_path, 100)
    one = writer.Writer(base, spool, 100, 0)
    some = spool_rows(7, datetime.now(UTC))
    one.put(some[:3])
    until(lambda: len(one._under_way) == 3)
    one.put(some[3:])
    one.close(0.2)
    go.set()
    one._thread.join(20)
    lines = (tmp_path / "spool-0.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row.id for row in some]
    base.close()


def test_the_metric_follows_the_database_without_any_posts(outage: Outage, settings: StoreSettings) -> None:
    metrics.UP.set(0)
    memory = Memory(replace(settings, days=0), load_taxonomy())  # no purge: nobody but the look asks
    until(lambda: metric("yujing_store_up") == 1)
    outage.begin()
    until(lambda: metric("yujing_store_up") == 0)
    outage.end()
    until(lambda: metric("yujing_store_up") == 1)
    memory.close()


def test_a_database_that_was_never_there_is_not_up(outage: Outage, settings: StoreSettings) -> None:
    metrics.UP.set(1)
    outage.begin()
    memory = Memory(settings, load_taxonomy())
    until(lambda: metric("yujing_store_up") == 0)
    memory.close()


def test_spooled_rows_that_cannot_be_read_are_counted_and_their_neighbours_stored(
    settings: StoreSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Spool(settings.folder, 10)) as spool:
        [kept] = spool_rows(1, datetime.now(UTC))
        spool.append([kept])
        with spool.path.open("ab") as file:
            file.write(b'{"id":"x"}\n' * 3)
    before = metric("yujing_store_rows_total", outcome="refused")
    memory = Memory(settings, load_taxonomy())
    until(lambda: metric("yujing_store_rows_total", outcome="refused") == before + 3)
    assert [row["id"] for row in rows(settings)] == [kept.id]
    assert "3 rows of the spool cannot be read" in caplog.text
    memory.close()
    assert not [*settings.folder.glob("*.jsonl")]


def test_a_row_that_the_driver_cannot_pass_on_holds_up_no_other(settings: StoreSettings) -> None:
    with closing(Spool(settings.folder, 10)) as spool:
        odd, kept = spool_rows(2, datetime.now(UTC))
        spool.append([replace(odd, severity=10**30), kept])
    before = metric("yujing_store_rows_total", outcome="refused")
    memory = Memory(settings, load_taxonomy())
    until(lambda: [row["id"] for row in rows(settings)] == [kept.id])
    until(lambda: metric("yujing_store_rows_total", outcome="refused") == before + 1)
    memory.delete(kept.id)  # nothing waits any more
    memory.close()


def test_the_backlog_is_bounded_and_what_is_dropped_is_counted(impatient: None, tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path, spool=5)
    outage = Outage(settings, None)
    outage.begin()
    memory = Memory(settings, load_taxonomy())
    dropped = metric("yujing_store_rows_total", outcome="dropped")
    for _ in range(12):
        answer(memory, "假货")
    until(lambda: metric("yujing_store_rows_total", outcome="dropped") == dropped + 7)
    assert len((tmp_path / "spool-0.jsonl").read_text().splitlines()) == 5
    outage.end()
    until(lambda: metric("yujing_store_spool_rows") == 0)
    memory.close()
    assert len(rows(settings)) == 5


def test_nothing_is_called_unknown_while_rows_wait_on_disk(
    impatient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "RETRY_SECONDS", 600.0)  # the database is back, but nobody has looked yet
    settings = StoreSettings(folder=tmp_path)
    outage = Outage(settings, None)
    outage.begin()
    memory = Memory(settings, load_taxonomy())
    [waiting] = answer(memory, "假货")
    until(lambda: metric("yujing_store_spool_rows") == 1)
    outage.end()
    for ask in (memory.delete, lambda one: memory.correct(right(one))):
        with pytest.raises(StoreDownError, match="earlier predictions are not in the database yet"):
            ask(waiting)
    memory.close()


def test_a_full_queue_drops_and_never_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entered, go = threading.Event(), threading.Event()

    def stuck(*_: object) -> None:
        entered.set()
        go.wait(30)

    monkeypatch.setattr(queries, "insert_predictions", stuck)
    memory = Memory(StoreSettings(folder=tmp_path, queue=3), load_taxonomy())
    answer(memory, "假货")
    assert entered.wait(20)  # the writer is stuck with the first row
    dropped = metric("yujing_store_rows_total", outcome="dropped")
    assert len(answer(memory, *["假货"] * 2)) == 2
    assert len(answer(memory, *["假货"] * 3)) == 3
    assert metric("yujing_store_rows_total", outcome="dropped") == dropped + 2
    go.set()
    memory.close()


def test_what_all_processes_of_a_folder_left_is_taken_over_by_one(outage: Outage, settings: StoreSettings) -> None:
    outage.begin()
    first, second = (Memory(settings, load_taxonomy()) for _ in range(2))
    ids = answer(first, "假货", "挺好") + answer(second, "客服骂人")
    first.close()
    second.close()
    assert {path.name for path in settings.folder.glob("*.jsonl")} == {"spool-0.jsonl", "spool-1.jsonl"}
    outage.end()
    only = Memory(settings, load_taxonomy())
    until(lambda: {row["id"] for row in rows(settings)} == set(ids))
    only.close()
    assert not [*settings.folder.glob("*.jsonl")]


def test_what_a_process_leaves_while_another_runs_is_taken_over(
    settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "INHERIT_SECONDS", 0.0)
    stays = Memory(settings, load_taxonomy())
    with closing(Spool(settings.folder, 10)) as spool:
        left = spool_rows(3, datetime.now(UTC))
        spool.append(left)
    until(lambda: {row["id"] for row in rows(settings)} == {row.id for row in left})
    stays.close()


def corrected(memory: Memory, prediction_id: str) -> bool:
    memory.correct(right(prediction_id))
    return True


@pytest.mark.parametrize("whole_folder", [True, False])
def test_what_is_written_after_the_file_was_deleted_can_be_read(
    whole_folder: bool, impatient: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that somebody removes or mounts over: its file lives on for who has it open, and for nobody else."""
    settings = StoreSettings(folder=tmp_path / "store")
    memory = Memory(settings, load_taxonomy())
    [old] = answer(memory, TEXT)
    memory.correct(right(old))
    for path in settings.folder.glob("yujing.sqlite3*"):
        path.unlink()
    if whole_folder:
        rmtree(settings.folder)
        until(lambda: metric("yujing_store_up") == 0)
        with pytest.raises(StoreDownError):
            memory.correct(right(old))
        settings.make_folder()
    with pytest.raises(UnknownPredictionError):
        until(lambda: corrected(memory, old))
    [new] = answer(memory, TEXT)
    until(lambda: corrected(memory, new))
    assert [row["id"] for row in rows(settings)] == [new]
    assert [row["prediction_id"] for row in rows(settings, feedback)] == [new]
    assert caplog.text.count("the store's file was deleted or exchanged") == 1
    memory.close()

"""The memory on SQLite and on a real PostgreSQL server: nothing is lost, nothing waits, what is deleted is gone."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from keyword_scorer import KeywordScorer
from postgres import PostgresServer, postgres_server

from data.errors import ConfigError, InputError
from data.loaders import load_examples
from data.records import Item
from data.results import Result
from data.taxonomy import load_taxonomy
from serving.store import database, queries, writer
from serving.store.database import Database
from serving.store.errors import StoreDownError, UnknownPredictionError
from serving.store.export import export_corrections
from serving.store.memory import Memory
from serving.store.migrate import config
from serving.store.records import Correction
from serving.store.rows import to_row, with_ids
from serving.store.settings import StoreSettings
from serving.store.spool import Spool
from serving.store.tables import feedback, metadata, predictions

PHONE = "13812345678"
TEXT = f"假货，打我电话{PHONE}"
NOW = datetime(2026, 3, 15, tzinfo=UTC)

Open = Callable[..., Memory]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreSettings]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        yield StoreSettings(folder=tmp_path)
        return
    url = request.getfixturevalue("server").url
    settings = StoreSettings(folder=tmp_path, url=url)
    yield settings
    base = Database(settings.database())
    with base.engine.begin() as connection:
        for table in ("feedback", "predictions", "alembic_version"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {table}"))
    base.close()


@pytest.fixture
def memory(settings: StoreSettings) -> Iterator[Memory]:
    memory = Memory(settings, load_taxonomy())
    yield memory
    memory.close()


def answer(memory: Memory, *texts: str) -> list[str]:
    """Score texts as the service does; their prediction ids."""
    items = [Item(id=f"c{index}", text=text) for index, text in enumerate(texts)]
    results = memory.remember(items, KeywordScorer().score(items), 0.25)
    return [result.prediction_id or "" for result in results]


def right(prediction_id: str, **changes: Any) -> Correction:
    return Correction(**{"prediction_id": prediction_id, "who": "王", "category": "false_advertising", **changes})


def rows(settings: StoreSettings, table: sa.Table = predictions) -> list[dict[str, Any]]:
    base = Database(settings.database())
    try:
        with base.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    finally:
        base.close()


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_every_answer_is_stored_masked_with_what_was_said(memory: Memory, settings: StoreSettings) -> None:
    before = datetime.now(UTC)
    first, second = answer(memory, TEXT, "挺好")
    memory.close()
    stored = {row["id"]: row for row in rows(settings)}
    assert set(stored) == {first, second}
    row = stored[first]
    assert before - timedelta(seconds=1) <= row["at"] <= datetime.now(UTC)
    assert row["text"] == TEXT.replace(PHONE, "138****5678")
    assert (row["item_id"], row["category"], row["severity"], row["risk"]) == ("c0", "counterfeit_ip", 2, 2)
    assert (row["model"], row["milliseconds"], row["batch"]) == (KeywordScorer.model_id, 250.0, 2)
    assert row["outputs"]["category"]["probabilities"] == {"counterfeit_ip": 0.9}
    assert row["outputs"]["signals"] == ["rumor_suspected"]  # without the words that show it


def test_ids_are_new_each_time_and_results_keep_their_order(memory: Memory) -> None:
    ids = answer(memory, "假货", "挺好", "假货") + answer(memory, "假货")
    assert len(set(ids)) == 4
    items = [Item(text="假货"), Item(text="挺好")]
    plain = KeywordScorer().score(items)
    given = memory.remember(items, plain, 0.1)
    assert [result.category for result in given] == [result.category for result in plain]


def test_no_text_is_kept_when_so_configured(tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path, keep_text="none")
    memory = Memory(settings, load_taxonomy())
    answer(memory, TEXT)
    memory.close()
    assert rows(settings)[0]["text"] is None
    assert "假货".encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_row_that_a_database_would_refuse_is_made_acceptable(memory: Memory, settings: StoreSettings) -> None:
    ids = answer(memory, "假\0货", "\ud800好", "假货")
    memory.correct(right(ids[0], who="a\0b", note="\0"))
    memory.close()
    assert {row["text"] for row in rows(settings)} == {"假\ufffd货", "?好", "假货"}


def test_a_correction_is_stored_when_the_call_returns(memory: Memory, settings: StoreSettings) -> None:
    [prediction] = answer(memory, TEXT)  # still on its way to the database
    memory.correct(right(prediction, severity=1, note=f"其实是虚假宣传 {PHONE}"))
    [row] = rows(settings, feedback)
    assert (row["prediction_id"], row["category"], row["severity"], row["who"]) == (
        prediction, "false_advertising", 1, "王",
    )  # fmt: skip
    assert row["note"] == "其实是虚假宣传 138****5678"


@pytest.mark.parametrize("unknown", ["0" * 32, "x", "\0", "", "a" * 9_999])
def test_an_unknown_prediction_is_said_to_be_unknown(memory: Memory, unknown: str) -> None:
    with pytest.raises(UnknownPredictionError):
        memory.delete(unknown)
    with pytest.raises(UnknownPredictionError):
        memory.correct(right(unknown))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"category": "nonsense"}, "category: not in the taxonomy"),
        ({"severity": 5}, "severity: 5 is above"),
        ({"category": "none", "severity": 2}, "severity: 2 does not go"),
        ({"severity": 0}, "severity: 0 does not go"),
    ],
)
def test_a_correction_against_the_taxonomy_is_refused(memory: Memory, changes: dict[str, Any], why: str) -> None:
    [prediction] = answer(memory, TEXT)
    with pytest.raises(InputError, match=why):
        memory.correct(right(prediction, **changes))


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


def test_the_last_correction_teaches(memory: Memory, settings: StoreSettings, tmp_path: Path) -> None:
    twice, only_rank, harmless, outcome = answer(memory, TEXT, "客服骂人", "挺好的", "不相关")
    memory.correct(right(twice, category="product_quality"))
    memory.correct(right(twice, category="false_advertising", severity=2))
    memory.correct(right(only_rank, category=None, severity=3))
    memory.correct(right(harmless, category="none"))
    memory.correct(right(outcome, category=None, escalated=True))
    target = tmp_path / "out.jsonl"
    assert export_corrections(settings, target).written == 3
    loaded = load_examples([target], load_taxonomy())
    assert loaded.bad == []
    found = {row.id: (row.category, row.severity, row.source) for row in loaded.rows}
    assert found == {
        twice: ("false_advertising", 2, "feedback"),
        only_rank: (None, 3, "feedback"),
        harmless: ("none", 0, "feedback"),
    }
    assert PHONE not in target.read_text(encoding="utf-8")


def test_corrections_without_text_are_counted(tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path, keep_text="none")
    memory = Memory(settings, load_taxonomy())
    [prediction] = answer(memory, TEXT)
    memory.correct(right(prediction))
    memory.close()
    summary = export_corrections(settings, tmp_path / "out.jsonl")
    assert (summary.written, summary.textless) == (0, 1)
    with pytest.raises(InputError, match=r"\.jsonl"):
        export_corrections(settings, tmp_path / "out.csv")


def test_outcomes_are_the_last_word_on_each_prediction(memory: Memory) -> None:
    from data.records import Volume

    items = [Item(volume=Volume(as_of=NOW, counts=(1, 20))), Item(volume=Volume(as_of=NOW, counts=(1, 2)))]
    hot, calm = memory.remember(items, KeywordScorer().score(items), 0.1)
    memory.correct(right(hot.prediction_id or "", category=None, escalated=False))
    memory.correct(right(hot.prediction_id or "", category=None, escalated=True))
    memory.correct(right(calm.prediction_id or "", category=None, escalated=False))
    assert sorted(memory.outcomes(10)) == [(0.1, False), (0.5, True)]
    assert len(memory.outcomes(1)) == 1


def test_the_migrations_make_what_the_code_expects(settings: StoreSettings) -> None:
    base = Database(settings.database())
    with base.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with base.engine.execution_options(immediate=True).begin() as connection:
        command.downgrade(config(connection), "base")
    assert sa.inspect(base.engine).get_table_names() == ["alembic_version"]
    base.close()


def test_sqlite_writes_ahead_and_syncs(tmp_path: Path) -> None:
    base, names = Database(StoreSettings(folder=tmp_path).database()), ("journal_mode", "synchronous")
    with base.read() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    base.close()
    assert found == {"journal_mode": "wal", "synchronous": 2}


# The database goes away and comes back.


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr("serving.store.memory.SETTLE_SECONDS", 1.0)
    monkeypatch.setitem(database.OPTIONS, "sqlite", {"connect_args": {"timeout": 0.1}})


def metric(name: str, **labels: str) -> float:
    from prometheus_client import REGISTRY

    return REGISTRY.get_sample_value(name, labels) or 0.0


class Outage:
    """Another process holds SQLite's write lock, or PostgreSQL is stopped."""

    def __init__(self, settings: StoreSettings, server: PostgresServer | None) -> None:
        self._server, self._path = server, settings.folder / "yujing.sqlite3"

    def begin(self) -> None:
        if self._server:
            self._server.stop()
        else:
            self._lock = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._lock.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        if self._server:
            self._server.start()
        else:
            self._lock.execute("ROLLBACK")
            self._lock.close()


@pytest.fixture
def outage(settings: StoreSettings, impatient: None, request: pytest.FixtureRequest) -> Outage:
    return Outage(settings, request.getfixturevalue("server") if settings.url else None)


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


def test_a_full_queue_drops_and_never_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import threading

    entered, go = threading.Event(), threading.Event()

    def stuck(*_: object) -> None:
        entered.set()
        go.wait(30)

    monkeypatch.setattr(queries, "insert_predictions", stuck)
    memory = Memory(StoreSettings(folder=tmp_path, queue=3), load_taxonomy())
    answer(memory, "假货")
    assert entered.wait(20)  # the writer is stuck with the first row
    dropped = metric("yujing_store_rows_total", outcome="dropped")
    assert len(answer(memory, *["假货"] * 5)) == 5
    assert metric("yujing_store_rows_total", outcome="dropped") == dropped + 2
    go.set()
    memory.close()


# The spool by itself.


def spool_rows(count: int) -> list[Any]:
    items = [Item(id=str(index), text="假货") for index in range(count)]
    results: list[Result] = with_ids(KeywordScorer().score(items))
    return [to_row(*pair, NOW, 1.0, 1, "masked") for pair in zip(items, results, strict=True)]


def ids(found: list[Any]) -> list[str]:
    return [row.id for row in found]


def test_the_spool_gives_back_what_it_took(tmp_path: Path) -> None:
    written = spool_rows(7)
    with closing(Spool(tmp_path, 100)) as spool:
        assert spool.append(written[:4]) + spool.append(written[4:]) == 7
        rows, lines, end = spool.peek(5)
        assert ids(rows) == ids(written[:5])
        assert rows[0].at == written[0].at
        assert rows[0].text == written[0].text
        assert spool.peek(5)[0] == rows  # looking takes nothing away
        spool.advance(lines, end)
        rows, lines, end = spool.peek(5)
        assert ids(rows) == ids(written[5:])
        spool.advance(lines, end)
        assert (spool.rows, spool.path.exists()) == (0, False)


def test_a_torn_line_is_skipped_and_its_neighbours_live(tmp_path: Path) -> None:
    written = spool_rows(3)
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append(written[:2])
    with (tmp_path / "spool-0.jsonl").open("ab") as file:
        file.write(b'{"id": "torn')
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append(written[2:])
        rows, lines, _ = spool.peek(10)
        assert (ids(rows), lines) == (ids(written), 4)


def test_two_processes_have_two_spools(tmp_path: Path) -> None:
    with closing(Spool(tmp_path, 1)) as first, closing(Spool(tmp_path, 1)) as second:
        assert first.path != second.path
    with closing(Spool(tmp_path, 1)) as again:
        assert again.path == first.path


# Settings.


def test_nothing_is_stored_unless_a_folder_is_named(tmp_path: Path) -> None:
    assert StoreSettings.from_env({}) is None
    assert StoreSettings.from_env({"DATABASE_URL": "postgresql://x/y"}) is None
    assert StoreSettings.from_env({"YUJING_STORE": str(tmp_path)}) == StoreSettings(folder=tmp_path)
    env = {"YUJING_STORE": "a", "YUJING_STORE_TEXT": "none", "YUJING_STORE_DAYS": "7"}
    assert StoreSettings.from_env(env, folder=tmp_path) == StoreSettings(folder=tmp_path, keep_text="none", days=7)


@pytest.mark.parametrize(
    "env",
    [
        {"YUJING_STORE_TEXT": "all"},
        {"YUJING_STORE_DAYS": "-1"},
        {"YUJING_STORE_QUEUE": "0"},
        {"DATABASE_URL": "mysql://user:geheim@host/name"},
        {"DATABASE_URL": "geheim"},
    ],
)
def test_an_unusable_setting_is_named_without_its_password(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        StoreSettings.from_env({"YUJING_STORE": str(tmp_path), **env})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_gets_one_driver(scheme: str, tmp_path: Path) -> None:
    url = StoreSettings(folder=tmp_path, url=f"{scheme}://u:p@h:5433/d").database()
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h:5433/d"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(ConfigError, match="name a folder that can be written"):
        Memory(StoreSettings(folder=tmp_path / "file"), load_taxonomy())

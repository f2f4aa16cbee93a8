"""Faults inside one process: a full disk, clocks that jump, an engine that fails once, a row that cannot be written."""

from __future__ import annotations

import ast
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from full_disk import files_up_to
from keyword_scorer import KeywordScorer
from stored import spool_rows

from data.records import Item
from data.results import EscalationResult, Result
from data.taxonomy import load_taxonomy
from models.batching import Float, Ids
from models.engine import Engine
from models.scorer import Scorer
from serving.gate.bucket import Buckets
from serving.gate.idempotency import Answers
from serving.process import ROOT
from serving.scoring import score_aligned
from serving.store.database import Database
from serving.store.memory import Memory
from serving.store.settings import StoreSettings
from serving.store.spool import Spool
from serving.store.steady import SteadyClock
from serving.store.tables import predictions

NOW = datetime(2026, 3, 15, tzinfo=UTC)
YEARS = timedelta(days=3_650)
SAYS_THE_TIME = {"model_card.py", "monitor.py", "memory.py", "steady.py", "reference.py", "__main__.py"}


def stored(folder: Path) -> set[str]:
    base = Database(StoreSettings(folder=folder).database())
    with base.read() as connection:
        found = {*connection.scalars(sa.select(predictions.c.id))}
    base.close()
    return found


# The disk.


@pytest.mark.parametrize("spare", [0, 1, 700, 5_000])
def test_a_full_disk_leaves_whole_lines_in_the_spool(tmp_path: Path, spare: int) -> None:
    written = spool_rows(40)
    with closing(Spool(tmp_path, 100)) as spool:
        spool.append(written[:2])
        with files_up_to(spool.path.stat().st_size + spare), pytest.raises(OSError, match="large"):
            spool.append(written[2:30])
        assert spool.rows == 2
        spool.append(written[30:])
        found, lines, _ = spool.peek(100)
        assert [row.id for row in found] == [row.id for row in (*written[:2], *written[30:])]
        assert lines == spool.rows == 12


# A row that cannot be written.


def test_an_answer_with_a_time_in_it_is_stored_at_once(tmp_path: Path) -> None:
    """The heads of a real bundle say until when they were calibrated; the database's JSON knows no times."""
    memory = Memory(StoreSettings(folder=tmp_path), load_taxonomy())
    head = EscalationResult("counts", 0.1, 0.06, 1.7, 6, "D", 9, True, (), (), calibrated_until=NOW)
    items = [Item(text="假货")]
    [result] = memory.remember(items, [replace(KeywordScorer().score(items)[0], escalation=head)], 0.1)
    memory.close()
    assert stored(tmp_path) == {result.prediction_id}
    assert not [*tmp_path.glob("spool-*.jsonl")]


def test_a_row_that_cannot_be_written_is_no_outage(tmp_path: Path) -> None:
    written = spool_rows(5)
    written[2] = replace(written[2], outputs={"never": object()})
    memory = Memory(StoreSettings(folder=tmp_path, days=0), load_taxonomy())
    memory._writer.put(written)
    memory.close()
    assert stored(tmp_path) == {row.id for row in written} - {written[2].id}
    assert memory._writer._standing.up


# Clocks.


@pytest.mark.parametrize("jump", [YEARS, -YEARS, timedelta(hours=2), timedelta(0)])
def test_no_jump_of_the_clock_brings_a_deletion_forward(jump: timedelta) -> None:
    wall, passed = [NOW], [100.0]
    clock = SteadyClock(lambda: wall[0], lambda: passed[0])
    assert clock.now() == NOW
    passed[0] += 60
    wall[0] += timedelta(seconds=60) + jump
    assert clock.now() == NOW + timedelta(seconds=60) + min(jump, timedelta(0))


def test_a_clock_that_jumps_by_years_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.store.retention.PURGE_SECONDS", 0.0)
    memory = Memory(StoreSettings(folder=tmp_path, days=1), load_taxonomy())
    items = [Item(text="假货")]
    [first] = memory.remember(items, KeywordScorer().score(items), 0.1)
    memory._writer.settle(5)
    purged: list[datetime] = []
    monkeypatch.setattr("serving.store.queries.purge", lambda _, before: purged.append(before) or 0)
    memory._writer.retention._clock._wall = lambda: datetime.now(UTC) + YEARS
    deadline = time.monotonic() + 20
    while len(purged) < 3 and time.monotonic() < deadline:
        memory.remember(items, KeywordScorer().score(items), 0.1)
        time.sleep(0.05)
    memory.close()
    assert len(purged) >= 3
    assert max(purged) < datetime.now(UTC) - timedelta(hours=23)
    assert first.prediction_id in stored(tmp_path)


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_limits_and_repeats_do_not_look_at_the_time_of_day(jump: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    buckets, answers, real = Buckets(0.001, 1), Answers(), time.time
    assert buckets.wait("desk") == 0
    assert answers.begin(("desk", "/score", "k"), b"d") is None
    answers.end(("desk", "/score", "k"), [{"type": "http.response.start", "status": 200}])
    monkeypatch.setattr(time, "time", lambda: real() + jump.total_seconds())
    assert 900 < buckets.wait("desk") <= 1_000
    assert answers.begin(("desk", "/score", "k"), b"d") is not None


def test_durations_are_never_differences_of_times_of_day() -> None:
    """Who asks for the time of day is listed: to say it in an answer or a row, to compare it with a volume's."""
    asking = set()
    for path in sorted((ROOT / "serving").rglob("*.py")):
        calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
        if calls & {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}:
            asking.add(path.name)
    assert asking == SAYS_THE_TIME


# The engine.


class FailsOnce:
    """An engine whose first call raises."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.calls = engine, 0

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        self.calls += 1
        if self.calls == 1:
            raise RuntimeError("某某客户的秘密")
        return self.engine.logits(rows)


def test_an_engine_that_fails_once_costs_no_answer(tiny_scorer: Scorer) -> None:
    assert tiny_scorer.text is not None
    items = [Item(id=str(n), text=text) for n, text in enumerate(["假货", "物流慢", "爆炸了", "很好"])]
    wanted = tiny_scorer.score(items)
    engine: Any = FailsOnce(tiny_scorer.text.engine)
    broken = replace(tiny_scorer, text=replace(tiny_scorer.text, engine=engine))
    assert score_aligned(broken, items) == wanted
    assert engine.calls == 1 + len(items)


def test_results_of_a_failed_item_do_not_stop_the_writer(tmp_path: Path) -> None:
    memory = Memory(StoreSettings(folder=tmp_path), load_taxonomy())
    [result] = memory.remember([Item(text="假货")], [Result(id=None)], 0.1)
    memory.close()
    assert stored(tmp_path) == {result.prediction_id}

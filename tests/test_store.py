"""The memory: every answer is kept masked, and a correction is on the disk when the call returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from keyword_scorer import KeywordScorer
from stored import NOW, PHONE, TEXT, answer, metric, right, rows

from data.errors import InputError
from data.records import Item, Volume
from data.taxonomy import load_taxonomy
from serving.store.errors import UnknownPredictionError
from serving.store.memory import Memory
from serving.store.settings import StoreSettings
from serving.store.tables import feedback

pytest_plugins = ["store_fixtures"]


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


def test_a_number_that_stands_for_an_id_is_masked_too(memory: Memory, settings: StoreSettings) -> None:
    item = Item(id=f"工单{PHONE}", text="假货")
    memory.remember([item], KeywordScorer().score([item]), 0.1)
    memory.close()
    assert [row["item_id"] for row in rows(settings)] == ["工单138****5678"]


def test_what_comes_after_the_end_is_dropped_and_counted(memory: Memory, settings: StoreSettings) -> None:
    answer(memory, *["假货"] * 40)
    memory.close()
    assert len(rows(settings)) == 40  # what waited was written
    dropped = metric("yujing_store_rows_total", outcome="dropped")
    assert len(answer(memory, "假货", "挺好")) == 2  # the caller gets an answer all the same
    assert metric("yujing_store_rows_total", outcome="dropped") == dropped + 2


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
        ({"category": "none", "severity": 2}, "severity: 2 with category none"),
        ({"severity": 0}, "severity: 0 with category"),
    ],
)
def test_a_correction_against_the_taxonomy_is_refused(memory: Memory, changes: dict[str, Any], why: str) -> None:
    [prediction] = answer(memory, TEXT)
    with pytest.raises(InputError, match=why):
        memory.correct(right(prediction, **changes))


def test_outcomes_are_the_last_word_on_each_prediction(memory: Memory) -> None:
    items = [Item(volume=Volume(as_of=NOW, counts=(1, 20))), Item(volume=Volume(as_of=NOW, counts=(1, 2)))]
    [hot], [calm] = (memory.remember([item], KeywordScorer().score([item]), 0.1) for item in items)
    memory.correct(right(hot.prediction_id or "", category=None, escalated=False))
    memory.correct(right(hot.prediction_id or "", category=None, escalated=True))
    memory.correct(right(calm.prediction_id or "", category=None, escalated=False))
    model = KeywordScorer.model_id
    assert sorted(memory.outcomes(model, 10)) == [(0.1, False), (0.5, True)]
    assert memory.outcomes(model, 1) == [(0.1, False)]  # of the newest prediction
    assert memory.outcomes("yujing-risk:another", 10) == []

"""Reposts: scored once, and their answers are those of scoring anew."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keyword_scorer import POISON, KeywordScorer

from data.recent import Recent
from data.records import Item, Volume
from data.results import Result
from data.samples import sample_items
from models.scorer import Scorer
from serving.batch.assemble import Summary, rejects_path
from serving.batch.pools import Here
from serving.batch.repeats import repeat_key
from serving.batch.run import Job, score_files
from serving.wire import write_result

TEXTS = ("买到假货", "挺好的", f"{POISON}了", "仓库爆炸")


class Counting(KeywordScorer):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, items: Sequence[Item]) -> list[Result]:
        self.asked += [item.text or "" for item in items]
        return super().score(items)


def posts(count: int, path: Path) -> list[Item]:
    items = [Item(id=f"p{number}", text=TEXTS[number * 7 % 4]) for number in range(count)]
    lines = [json.dumps({"id": item.id, "text": item.text}) + "\n" for item in items]
    path.write_text("".join(lines), encoding="utf-8")
    return items


@pytest.mark.parametrize("window", [3, 1_000])
def test_a_text_is_scored_once_and_every_row_has_its_answer(window: int, tmp_path: Path) -> None:
    items, scorer, target = posts(40, tmp_path / "in.jsonl"), Counting(), tmp_path / "out.jsonl"
    job = Job(str(tmp_path / "in.jsonl"), target, window=window)
    assert score_files(job, Here(lambda: scorer)) == Summary(scored=30, failed=10, repeated=36)
    assert sorted(scorer.asked) == sorted(TEXTS)
    assert target.read_bytes().splitlines() == [write_result(result) for result in KeywordScorer().score(items)]
    rejects = [json.loads(line) for line in rejects_path(target).read_text(encoding="utf-8").splitlines()]
    assert [reject["id"] for reject in rejects] == [item.id for item in items if POISON in (item.text or "")]
    assert {reject["reason"] for reject in rejects} == {"cannot be read"}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_full_memory_forgets_but_never_errs(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recent.__init__, "__defaults__", (size,))
    chance = random.Random(size)
    names = [chance.choice(TEXTS) for _ in range(60)]
    items = [Item(id=str(number), text=text) for number, text in enumerate(names)]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"id": i.id, "text": i.text}) + "\n" for i in items), encoding="utf-8")
    score_files(Job(str(source), target, window=7), Here(KeywordScorer))
    assert target.read_bytes().splitlines() == [write_result(result) for result in KeywordScorer().score(items)]


def test_what_was_asked_for_lately_is_remembered_longest() -> None:
    memory = Recent[int](2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    memory.put("c", 3)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)


def test_what_makes_texts_equal() -> None:
    item = Item(id="1", text="买到假货")
    assert repeat_key(item) == repeat_key(replace(item, id="2", platform="weibo", published_at=datetime.now(UTC)))
    others = [replace(item, text="买到假货 "), replace(item, explain=True)]
    assert len({repeat_key(one) for one in [item, *others]}) == 3
    volume = Volume(as_of=datetime.now(UTC), counts=(1, 2))
    assert repeat_key(replace(item, volume=volume)) == repeat_key(Item(volume=volume)) == ""


def test_time_and_platform_do_not_change_an_answer(tiny_scorer: Scorer) -> None:
    items = [replace(item, volume=None) for item in sample_items() if item.text][:8]
    moved = [replace(item, platform="weibo", published_at=datetime(2026, 1, 1, tzinfo=UTC)) for item in items]
    assert tiny_scorer.score(items) == tiny_scorer.score(moved)


def test_the_tiny_models_repeats_are_what_scoring_anew_gives(tiny_scorer: Scorer, tmp_path: Path) -> None:
    samples = [item.text for item in sample_items() if item.text][:12]
    items = [Item(id=str(number), text=samples[number * 5 % 12]) for number in range(30)]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"id": i.id, "text": i.text}) + "\n" for i in items), encoding="utf-8")
    assert score_files(Job(str(source), target), Here(lambda: tiny_scorer)).repeated == 18
    assert target.read_bytes().splitlines() == [write_result(result) for result in tiny_scorer.score(items)]

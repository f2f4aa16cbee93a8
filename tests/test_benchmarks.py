"""The benchmarks compare what belongs together, and their tables say what the JSON says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from keyword_scorer import KeywordScorer

from models.bundle import Bundle, find_first_stage
from models.scorer import Scorer
from serving.benchmarks import publish as published
from serving.benchmarks.clients import Answered, Crowd
from serving.benchmarks.clock import Spent, Spread, compare, percentile, spend, take_turns
from serving.benchmarks.engines import OURS, PIPELINE, TORCH, run_engines
from serving.benchmarks.headline import write_headline
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.path import FILES, SCORER, STAGED, run_path
from serving.benchmarks.peer_process import PEERS, Peer, missing
from serving.benchmarks.picture import draw
from serving.benchmarks.scaling import run_scaling
from serving.benchmarks.texts import SHORT, read_texts, short_texts, slices

MACHINE = {"cpu": "some CPU", "cores": 2, "load": 0.5}


def test_a_ratio_compares_two_turns_of_one_round() -> None:
    slow, fast = [Spent(2, 4), Spent(20, 40)], [Spent(1, 1), Spent(10, 10)]
    found = compare({"slow": slow, "fast": fast}, "fast", "slow", 10)
    assert found["times_by_cpu"] == Spread(4, 4, 4)
    assert found["times_by_clock"] == Spread(2, 2, 2)
    assert found["rows_per_second"] == Spread(5.5, 1, 10)


def test_each_contender_has_its_turn_in_each_round_and_one_to_warm_up() -> None:
    order: list[str] = []
    spent = take_turns({name: lambda turn, name=name: order.append(f"{name}{turn}") for name in "abc"}, 2)  # type: ignore[misc]
    assert order == ["a0", "b0", "c0", "a1", "b1", "c1", "b2", "c2", "a2"]
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


def test_no_post_comes_in_two_rounds() -> None:
    found = slices(20, 4)
    assert {len(texts) for texts in found} == {len(found[0])}
    assert len(found) == 5
    assert len({text for texts in found for text in texts}) == 5 * len(found[0])


@pytest.mark.parametrize("name", ["engines", "path"])
def test_a_part_runs_and_its_table_names_every_contender(name: str, tiny_bundle: Bundle, tiny_scorer: Scorer) -> None:
    parts = slices(6, 1)
    stage = find_first_stage(tiny_bundle)
    found = run_engines(tiny_bundle, parts) if name == "engines" else run_path(tiny_scorer, parts, stage)
    run = {"machine": MACHINE, "core_hour_price": 0.05, name: found}
    table, picture = write_markdown(run), draw(run)
    ElementTree.fromstring(picture)
    for contender in (PIPELINE, TORCH, *OURS.values()) if name == "engines" else (SCORER, FILES, STAGED):
        assert table.count(contender) >= 2  # its speed, and its cost
        assert contender in picture


def test_a_million_posts_cost_their_core_hours() -> None:
    spread = {"median": 100.0, "low": 90.0, "high": 110.0}
    figures = {"rows_per_cpu_second": spread, "times_by_cpu": spread, "times_by_clock": spread}
    table = write_markdown({"machine": MACHINE, "core_hour_price": 0.36, "path": {"shares": {"ours": figures}}})
    assert "| ours | 2.78 | 1.00 |" in table  # 1e6 / 100 / 3600 hours


def test_processes_are_compared_where_there_are_cores_for_them() -> None:
    texts = [f"第{number}单很慢" for number in range(400)]
    found = run_scaling(KeywordScorer, texts, 1, cores=2)
    assert found["times"]["median"] > 0
    assert "ratio" in write_markdown({"machine": MACHINE, "scaling": found})
    alone = run_scaling(KeywordScorer, texts, 1, cores=1)
    assert "2 cores are needed" in write_markdown({"machine": MACHINE, "scaling": alone})


def test_a_peer_that_is_not_installed_is_left_out_with_a_reason() -> None:
    assert "bench" in str(missing(Peer("no.module", "/", "no_such_package")))
    assert missing(PEERS["Starlette + uvicorn"]) is None


def test_a_run_is_published_between_two_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, run, kept = tmp_path / "README.md", tmp_path / "bench.json", tmp_path / "kept.json"
    monkeypatch.setattr(published, "PAGES", {page: write_markdown})
    run.write_text(json.dumps({"machine": MACHINE}), encoding="utf-8")
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    published.publish(run, kept)
    published.publish(run, kept)
    tables = write_markdown({"machine": MACHINE}).strip()
    assert page.read_text(encoding="utf-8") == f"before\n<!-- bench -->\n{tables}\n<!-- /bench -->\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(typer.BadParameter, match="needs exactly one"):
        published.publish(run, kept)


@pytest.mark.parametrize("page", published.PAGES, ids=lambda page: page.parent.name)
def test_the_pages_say_what_the_published_run_says(page: Path) -> None:
    run = json.loads(published.KEPT.read_text(encoding="utf-8"))
    assert published.filled(page, run) == page.read_text(encoding="utf-8")


def test_the_headline_has_a_line_per_question_that_was_run() -> None:
    run = json.loads(published.KEPT.read_text(encoding="utf-8"))
    assert len(write_headline(run).splitlines()) == 2 + 3 + 3 + 5
    assert len(write_headline({"engines": run["engines"]}).splitlines()) == 2 + 3
    assert write_headline({}) == "nothing was run"

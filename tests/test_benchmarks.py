"""The benchmarks compare what belongs together, and their tables say what the JSON says."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from altered import edit
from keyword_scorer import KeywordScorer

from data.command_line import run_function
from data.errors import ConfigError
from data.records import MAX_POINTS
from models.bundle import Bundle, find_first_stage, open_bundle
from models.engine_build import ENGINES
from models.engine_name import DEFAULT
from models.escalation_store import kind_of, open_head
from models.scorer import Scorer
from serving.benchmarks import engines
from serving.benchmarks import publish as published
from serving.benchmarks.__main__ import bench
from serving.benchmarks.clients import Answered, Crowd
from serving.benchmarks.clock import Spent, Spread, compare, percentile, spend, take_turns
from serving.benchmarks.engines import NO_VNNI, OURS, PIPELINE, POOLED, TORCH, VNNI, computed_with, run_engines
from serving.benchmarks.headline import write_headline
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.part import PARTS
from serving.benchmarks.path import FILES, SCORER, STAGED, run_path
from serving.benchmarks.peer_process import PEERS, Peer, missing
from serving.benchmarks.picture import BLUE, bars, draw
from serving.benchmarks.publish import Place
from serving.benchmarks.scaling import run_scaling
from serving.benchmarks.service import SHIPPED
from serving.benchmarks.texts import SHORT, read_texts, short_texts, slices
from serving.benchmarks.volumes import long_volumes, run_volumes
from serving.settings import Settings

MACHINE = {"cpu": "some CPU", "cores": 2, "load": 0.5, "engines": {"bf16": "some library", "int8": VNNI}}
PUBLISHED = {
    place.block: (place, json.loads(place.kept.read_text(encoding="utf-8"))) for place in published.PLACES.values()
}
BLOCKS = [(block, page) for block, (place, _) in PUBLISHED.items() for page in place.pages]


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


def test_a_bundle_that_pools_is_timed_beside_a_plain_bert_and_beside_itself(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    edit(tmp_path / "bundle", lambda raw: raw["text"].update(pool_after=1))
    found = run_engines(open_bundle(tmp_path / "bundle"), slices(7, 1))
    assert {*found["engines"]} == {PIPELINE, TORCH, POOLED, *OURS.values()}


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


@pytest.mark.parametrize("page", [published.HERE / "README.md", published.ROOT / "README.md"])
def test_the_pages_say_that_no_rate_was_asked_of_a_caller(page: Path) -> None:
    usual, text = Settings(), page.read_text(encoding="utf-8")
    assert SHIPPED["YUJING_RATE"] == "0"
    assert f"by default {usual.rate:g} requests a second, {usual.burst} at once" in text
    assert "As shipped (" not in text


@pytest.mark.parametrize("computed", [VNNI, NO_VNNI])
def test_a_run_is_published_between_the_two_comments_of_its_kind_of_cpu(
    computed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, run = tmp_path / "README.md", tmp_path / "bench.json"
    places = {kind: Place(tmp_path / f"{kind}.json", kind, {page: write_markdown}) for kind in (VNNI, NO_VNNI)}
    monkeypatch.setattr(published, "PLACES", places)
    found = {"machine": MACHINE | {"engines": {"int8": computed}}}
    run.write_text(json.dumps(found), encoding="utf-8")
    before = "".join(f"before\n<!-- {kind} -->\nold\n<!-- /{kind} -->\n" for kind in places)
    page.write_text(before, encoding="utf-8")
    published.publish(run)
    published.publish(run)
    old, new = (f"<!-- {computed} -->\n{block}\n" for block in ("old", write_markdown(found).strip()))
    assert page.read_text(encoding="utf-8") == before.replace(old, new)
    assert {path.stem for path in tmp_path.iterdir()} == {"README", "bench", computed}
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ConfigError, match="needs exactly one"):
        published.publish(run)


@pytest.mark.parametrize("machine", [{}, {"engines": {"int8": "abacus"}}])
def test_a_run_that_does_not_tell_its_kind_of_cpu_is_not_published(machine: dict[str, object], tmp_path: Path) -> None:
    run = tmp_path / "bench.json"
    run.write_text(json.dumps({"machine": machine}), encoding="utf-8")
    with pytest.raises(ConfigError, match="run `make bench` anew"):
        published.publish(run)


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        (bench, ["--part", "nonsense"], f"--part nonsense: give one of {', '.join(PARTS)}"),
        (bench, ["--bundle", "nowhere"], "nowhere: no readable manifest.json"),
        (published.publish, ["nowhere.json"], "nowhere.json: "),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(
    command: Callable[..., None],
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    with pytest.raises(SystemExit, match="2"):
        run_function(command)
    said = capsys.readouterr().err
    assert said.startswith("yujing: ")
    assert said.count("\n") == 1
    assert told in said


@pytest.mark.parametrize(
    ("block", "page"), BLOCKS, ids=lambda part: part.parent.name if isinstance(part, Path) else part
)
def test_the_pages_say_what_the_published_runs_say(block: str, page: Path) -> None:
    place, run = PUBLISHED[block]
    assert place.filled(page, run) == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("block", PUBLISHED)
def test_a_published_run_is_of_its_kind_of_cpu_and_calls_the_engines_by_their_names(block: str) -> None:
    place, run = PUBLISHED[block]
    assert published.find_place(run) is place
    assert {*run["engines"]["engines"]} - {POOLED} == {PIPELINE, TORCH, *OURS.values()}
    assert {*run["machine"]["engines"]} == {*OURS}
    assert place.kept.with_suffix(".svg").read_text(encoding="utf-8") == draw(run)


@pytest.mark.parametrize(("vnni", "bf16"), [(True, True), (True, False), (False, False)])
def test_what_the_engines_are_computed_with_depends_on_the_cpu(
    vnni: bool, bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_vnni", lambda: vnni)
    monkeypatch.setattr(engines, "has_bf16", lambda: bf16)
    found = computed_with()
    assert found["int8"] == (VNNI if vnni else NO_VNNI)
    assert ("bfloat16" in found["bf16"]) is bf16
    assert {*found} == {*OURS} == {*ENGINES} - {"torch"}
    table = write_markdown({"machine": MACHINE | {"engines": found}})
    assert all(f"`{name}`: {computed}" in table for name, computed in found.items())


def test_the_picture_marks_the_default_engine_and_the_whole_path_as_ours() -> None:
    _, run = PUBLISHED["bench"]
    ours = {name for name, _, ours in bars(run) if ours}
    assert ours == {OURS[DEFAULT], *run["path"]["shares"]}
    assert draw(run).count(BLUE) == len(ours)


def test_the_headline_has_a_line_per_question_that_was_run() -> None:
    _, run = PUBLISHED["bench"]
    assert len(write_headline(run).splitlines()) == 2 + 3 + 3 + 5
    assert len(write_headline({"engines": run["engines"]}).splitlines()) == 2 + 3
    assert write_headline({}) == "nothing was run"


def test_volumes_are_long_and_unlike_and_each_head_is_timed(tiny_scorer: Scorer) -> None:
    for head in ("counts", "hotlist"):
        volumes = long_volumes(head, 300)
        assert len({volume.counts for volume in volumes}) == 300
        assert {len(volume.counts or ()) for volume in volumes} == {MAX_POINTS}
    shipped = open_bundle(None)
    heads = {name: open_head(shipped, kind_of(name)) for name in shipped.manifest.escalation}
    found = run_volumes(replace(tiny_scorer, escalation=heads), 8, 1)
    assert set(found) == {"counts", "hotlist"}
    text = write_markdown({"machine": MACHINE, "volumes": found})
    for figures in found.values():
        assert {*figures} == {"features", "answer", "features, 256 at once", "answer, 256 at once"}
        assert f"{figures['answer']['median']} [" in text

"""Drift: chance raises no alarm, a changed stream does; laws of PSI; the window forgets; the bundle keeps its id."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored import metric, until

from data.errors import ConfigError, CorpusError
from data.records import Item
from data.results import CategoryResult, Result
from data.samples import FOLDER, sample_examples
from data.taxonomy import load_taxonomy
from data.words import known_share
from models.bundle import Bundle, open_bundle
from models.engine_build import load_tokens
from models.scorer import Scorer
from serving.drift.calibration import calibration
from serving.drift.compare import NAMES, compare, psi, worst
from serving.drift.monitor import Monitor, open_monitor
from serving.drift.observation import Observation, observe
from serving.drift.reference import MIN_POSTS, load_reference, make_reference, read_reference
from serving.drift.replay import replay, replay_table
from serving.drift.report import DriftReport, publish
from serving.drift.settings import DriftSettings, find_reference

SAMPLES = FOLDER / "posts.jsonl"
CATEGORIES = ("none", "other", "product_quality", "platform_rules")


def stream(seed: int, count: int, **changes: object) -> list[Observation]:
    """Invented observations, independent of each other."""
    rng = np.random.default_rng(seed)
    plain = [
        Observation(
            category=str(rng.choice(CATEGORIES, p=[0.6, 0.2, 0.15, 0.05])),
            confidence=float(rng.beta(5, 2)),
            length=int(rng.lognormal(4, 0.8)) + 1,
            unknown_tokens=float(rng.random() < 0.05) * 0.1,
            unknown_words=float(rng.beta(1, 20)),
            needs_review=bool(rng.random() < 0.3),
        )
        for _ in range(count)
    ]
    return [replace(one, **changes) for one in plain]  # type: ignore[arg-type]


REFERENCE = make_reference(stream(0, 3_000), "yujing-risk:test")


@pytest.mark.parametrize("size", [MIN_POSTS, 1_000, 2_000])
def test_chance_raises_no_alarm_and_no_warning(size: int) -> None:
    states = {one.state for seed in range(1, 101) for one in compare(REFERENCE, stream(seed, size))}
    assert states == {"ok"}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"category": "other"}, "category"),
        ({"length": 900}, "length"),
        ({"confidence": 0.3}, "confidence"),
        ({"confidence": 0.3}, "mean_confidence"),
        ({"unknown_tokens": 0.2}, "mean_unknown_tokens"),
        ({"unknown_words": 0.5}, "mean_unknown_words"),
        ({"needs_review": True}, "mean_needs_review"),
    ],
)
def test_a_changed_half_is_an_alarm_of_its_own_statistic(changes: dict[str, object], name: str) -> None:
    found = {one.name: one for one in compare(REFERENCE, stream(1, 500) + stream(2, 500, **changes))}
    assert found[name].state == "alarm"
    touched = {name, "confidence", "mean_confidence"} if "confidence" in changes else {name}
    assert {one.name for one in found.values() if one.state != "ok"} <= touched


def test_few_posts_say_nothing() -> None:
    assert compare(REFERENCE, stream(1, MIN_POSTS - 1)) == []
    assert worst([]) == "too_few"
    assert worst(["ok", "alarm", "warning"]) == "alarm"
    with pytest.raises(CorpusError, match="at least"):
        make_reference(stream(1, MIN_POSTS - 1), "m")


def test_psi_is_zero_for_one_mix_symmetric_and_grows() -> None:
    assert psi([10, 20, 70], [10, 20, 70]) == pytest.approx(0)
    assert psi([10, 20, 70], [30, 30, 40]) == pytest.approx(psi([30, 30, 40], [10, 20, 70]))
    assert psi([500, 500], [400, 600]) < psi([500, 500], [200, 800])
    assert psi([99.5, 299.5], [199.5, 199.5]) == pytest.approx(0.25 * np.log(3), abs=1e-6)  # by hand
    assert np.isfinite(psi([0, 100], [100, 0]))


def test_the_order_of_posts_does_not_matter() -> None:
    posts = stream(3, 400)
    assert compare(REFERENCE, posts) == compare(REFERENCE, posts[::-1])


@pytest.mark.parametrize(
    ("pairs", "state"),
    [
        ([(0.5, True)] * 10, "too_few"),
        ([(0.5, True), (0.5, False)] * 100, "ok"),
        ([(0.1, True), (0.1, False)] * 100, "alarm"),
        ([(0.9, False)] * 200, "alarm"),
        ([], "too_few"),
    ],
)
def test_escalation_is_held_against_its_outcomes(pairs: list[tuple[float, bool]], state: str) -> None:
    assert calibration(pairs).state == state


def test_unknown_words_are_those_that_the_dictionary_lacks() -> None:
    assert known_share("客服退款") == 1.0
    assert known_share("！！ 12") == 1.0
    assert known_share("客服 qwzx") == 0.5


def test_a_replay_of_one_stream_raises_no_alarm() -> None:
    alike = replay(stream(5, 3_000), 600, 30, 1)
    assert alike.states() == {"ok": 30}
    assert abs(alike.largest("mean_confidence")) < 0.2
    assert replay_table(alike).row_count == len(NAMES) + 1
    with pytest.raises(CorpusError, match="at least"):
        replay(stream(5, 500), 600, 1, 1)


# With a real bundle.


def answers(texts: list[str], scorer: Scorer) -> tuple[list[Item], list[Result]]:
    items = [Item(text=text) for text in texts]
    return items, scorer.score(items)


def test_observations_leave_out_what_has_no_answer(tiny_bundle: Bundle, tiny_scorer: Scorer) -> None:
    texts = ["好好好", None, "\u200b", "龘龘龘"]
    category = CategoryResult("none", "无危机", 0.9, ("none",), {})
    results = [Result(id=None, category=category), Result(id=None), Result(id=None), Result(id=None, category=category)]
    known, unknown = observe(texts, results, load_tokens(tiny_bundle))
    assert (known.unknown_tokens, known.length, known.category) == (0.0, 3, "none")
    assert unknown.unknown_tokens > 0


def test_the_reference_lies_in_the_bundle_and_leaves_its_id(referenced: Bundle, tiny_bundle: Bundle) -> None:
    assert referenced.model_id == tiny_bundle.model_id
    found = find_reference(DriftSettings(), referenced)
    assert found is not None
    assert (found.model, found.posts) == (tiny_bundle.model_id, 3 * len(sample_examples()))
    assert find_reference(DriftSettings(), tiny_bundle) is None


def test_a_reference_in_a_file_wins_and_must_be_of_the_same_model(referenced: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    path.write_text(REFERENCE.dumps(), encoding="utf-8")
    assert load_reference(path) == REFERENCE
    with pytest.raises(ConfigError, match=r"^YUJING_DRIFT_REFERENCE: .*made for yujing-risk:test"):
        find_reference(DriftSettings(reference=path), referenced)
    path.write_text(replace(REFERENCE, model=referenced.model_id).dumps(), encoding="utf-8")
    found = find_reference(DriftSettings(reference=path), referenced)
    assert found is not None
    assert found.posts == 3_000


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_what_is_no_reference_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"reference\.json"):
        load_reference(path)


USUAL = json.loads(REFERENCE.dumps())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "format: "),
        ({"means": {}}, "lacks "),
        ({"means": {**USUAL["means"], "confidence": {"mean": float("nan"), "sd": 0.1}}}, "means.confidence.mean: "),
        ({"category": {"none": 2_999}}, "category: the counts must sum to its 3000 posts"),
        ({"histograms": {**USUAL["histograms"], "length": {"edges": [9.0], "counts": [0, 0]}}}, "length: the counts"),
        (
            {"histograms": {**USUAL["histograms"], "length": {"edges": [9.0, 8.0], "counts": [0, 0, 3_000]}}},
            "histograms.length: .*edges must rise",
        ),
        (
            {"histograms": {**USUAL["histograms"], "length": {"edges": [float("nan")], "counts": [0, 3_000]}}},
            "histograms.length.edges",
        ),
    ],
)
def test_a_reference_that_could_not_be_compared_with_is_refused(changes: dict[str, object], told: str) -> None:
    assert read_reference(USUAL, "usual.json") == REFERENCE
    with pytest.raises(ConfigError, match=rf"usual\.json: no reference statistics: .*{told}"):
        read_reference({**USUAL, **changes}, "usual.json")


def test_a_confidence_that_is_no_number_is_an_alarm() -> None:
    states = {one.name: one.state for one in compare(REFERENCE, stream(1, 500, confidence=float("nan")))}
    assert {name for name, state in states.items() if state == "alarm"} == {"confidence", "mean_confidence"}


def test_a_reference_of_one_category_and_equal_posts_is_compared_with() -> None:
    alike = {"category": "none", "confidence": 1.0, "length": 5, "unknown_tokens": 0.0, "unknown_words": 0.0}
    one = make_reference(stream(0, MIN_POSTS, needs_review=False, **alike), "yujing-risk:test")
    same = compare(one, stream(1, MIN_POSTS, needs_review=False, **alike))
    assert {(found.value, found.state) for found in same} == {(0.0, "ok")}
    other = compare(one, stream(1, MIN_POSTS, needs_review=False, **{**alike, "category": "other"}))
    assert [found.name for found in other if found.state == "alarm"] == ["category"]


def test_the_window_slides(referenced: Bundle, tiny_scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUJING_DRIFT_WINDOW", "400")
    assert open_monitor(referenced.folder, "yujing-risk:other") is None
    monitor = open_monitor(referenced.folder, referenced.model_id)
    assert monitor is not None
    texts = [example.text for example in sample_examples()]
    items, results = answers(texts, tiny_scorer)
    monitor.put(items, results)
    until(lambda: monitor.report().posts == len(texts))
    report = monitor.report()
    assert (report.state, report.statistics) == ("too_few", [])
    for _ in range(4):
        monitor.put(items, results)
    until(lambda: monitor.report().posts == 400)
    report = monitor.report()
    assert report.window == 400
    assert [one.name for one in report.statistics] == list(NAMES)
    assert report.state == "ok"  # the samples are the reference
    for _ in range(4):
        monitor.put(*answers(["龘龘 qwzx " * 40] * 100, tiny_scorer))
    until(lambda: monitor.report().state == "alarm")
    publish(monitor.report())
    monitor.close()


def test_under_load_a_share_is_drawn_once_a_window_is_full(
    referenced: Bundle, tiny_scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUJING_DRIFT_WINDOW", "300")
    monkeypatch.setattr("serving.drift.monitor.PACE", 0.0)
    monitor = open_monitor(referenced.folder, referenced.model_id)
    assert monitor is not None
    monitor.put(*answers(["很好很好很好"] * 280, tiny_scorer))
    until(lambda: monitor.report().posts == 280)
    monitor.put(*answers(["龘"] * 140, tiny_scorer))
    until(lambda: monitor.report().posts == 300)
    assert [one.length for _, one in monitor._window].count(1) == 20  # of 140: all that a window has left
    monitor.close()


def test_a_monitor_that_is_behind_skips_and_counts(referenced: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    from prometheus_client import REGISTRY

    monkeypatch.setattr("serving.drift.monitor.WAITING", 1)
    monitor = Monitor(REFERENCE, load_tokens(referenced), 300)
    monitor.close()  # nobody takes anything any more
    before = REGISTRY.get_sample_value("yujing_drift_skipped_posts_total") or 0.0
    for _ in range(3):
        monitor.put([Item(text="好")] * 2, [Result(id=None)] * 2)
    assert REGISTRY.get_sample_value("yujing_drift_skipped_posts_total") == before + 4


def test_the_metrics_tell_of_the_report_that_is_now() -> None:
    found = compare(REFERENCE, stream(1, 500, needs_review=True))
    told = DriftReport(
        state="alarm", posts=500, window=500, since=None, reference_model="m", reference_posts=3_000,
        reference_made_at=REFERENCE.made_at, statistics=found,
    )  # fmt: skip
    name = {"statistic": "mean_needs_review"}
    publish(told)
    assert (metric("yujing_drift_state", **name), metric("yujing_drift_window_posts")) == (2, 500)
    for nothing in (replace(told, state="too_few", posts=3, statistics=[]), None):
        publish(nothing)
        assert metric("yujing_drift_state", **name) == -1
        assert metric("yujing_drift_window_posts") == (3 if nothing else 0)
        assert np.isnan(metric("yujing_drift_value", **name))


def test_the_metrics_catch_up_though_nothing_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.drift.monitor.REFRESH_SECONDS", 2.0)
    monitor = Monitor(REFERENCE, load_tokens(open_bundle(None)), 1_000)
    category = CategoryResult("none", "无危机", 0.9, ("none",), {})
    posts = [Item(text="好")] * MIN_POSTS, [Result(id=None, category=category, model=REFERENCE.model)] * MIN_POSTS
    for total in (MIN_POSTS, 2 * MIN_POSTS):
        monitor.put(*posts)
        until(lambda total=total: metric("yujing_drift_window_posts") == total)  # type: ignore[misc]
    monitor.close()


def test_training_a_part_again_forgets_the_reference(referenced: Bundle, tmp_path: Path) -> None:
    from models.bundle import save_part

    folder = tmp_path / "bundle"
    shutil.copytree(referenced.folder, folder)
    assert save_part(folder, load_taxonomy(), {"escalation-x.skops": b"x"}).manifest.reference == {}

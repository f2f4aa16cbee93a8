"""Laws of the `hotlist` head in use: complete for any volume, honest about its domain, the same after storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from hot_list import CONFIG, model, record, table_of, trained, volume_at
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BundleError
from data.hotlist import ARRAYS, EPISODE_GAP, WIDTH, as_last_seen, episode_of, highest_of, hot_windows_of
from data.hotlist_features import hot_features
from data.records import Volume
from data.results import EscalationResult
from data.taxonomy import load_taxonomy
from data.volume_windows import ZONE
from models.bundle import escalation_file, open_bundle, save_part
from models.escalation_head import MAX_FACTORS
from models.escalation_store import dump, load
from models.hotlist import HotlistModel
from models.hotlist_words import HOT_GROUPS, HOT_WORDS
from models.manifest import EscalationPart
from training.escalation_blend import logistic
from training.hotlist_decisions import outcomes

NOON = datetime(2024, 5, 1, 12, 30, tzinfo=ZONE)
amounts = st.one_of(st.none(), st.integers(0, 3_000_000).map(float))
volumes = st.builds(
    lambda rows, minutes, line, **parts: Volume(
        as_of=NOON,
        interval_minutes=minutes,
        alarm_threshold=line,
        heat=tuple(row[0] for row in rows),
        **{name: tuple(row[1] for row in rows) for name, there in parts.items() if there},
    ),
    st.lists(st.tuples(amounts, amounts), min_size=1, max_size=60),
    st.sampled_from([20, 60, 120]),
    st.sampled_from([0.5, 400_000.0]),
    **{name: st.booleans() for name in ARRAYS[1:]},
)


def _answer(volume: Volume) -> EscalationResult:
    return model().predict([volume])[0]


def _known(heat: tuple[float | None, ...], **more: Any) -> Volume:
    settings = {"as_of": NOON, "heat": heat, "alarm_threshold": 1_000.0, "rank": (5.0,) * len(heat)}
    return Volume(**(settings | more))


@settings(max_examples=60, deadline=None)
@given(volumes)
def test_every_volume_has_a_complete_answer(volume: Volume) -> None:
    found, heat = _answer(volume), volume.heat or ()
    assert 0 <= found.probability < 1  # four digits
    assert (found.head, found.horizon_hours) == ("hotlist", 6)
    assert found.n_obs <= sum(bool(value) for value in heat)  # hours of the present episode
    assert set(found.missing) >= {name for name in ARRAYS if getattr(volume, name) is None}
    assert len(found.factors) <= MAX_FACTORS
    assert all(f.name in HOT_GROUPS and f.text and "nan" not in f.text for f in found.factors)


@settings(max_examples=15, deadline=None)
@given(st.lists(volumes, min_size=2, max_size=5))
def test_a_batch_answers_as_one_by_one_and_in_order(many: list[Volume]) -> None:
    assert model().predict(many) == [_answer(volume) for volume in many]


def test_training_rows_get_the_same_likelihood_through_the_serving_path() -> None:
    decisions, topics = trained()[0], record()
    rows = outcomes(topics)[0]
    order = rows[np.argsort(topics.time[rows], kind="stable")]
    chosen = list(range(0, len(order), 400))
    served = model().predict([volume_at(topics, int(order[i])) for i in chosen])
    expected = model().probabilities(decisions.features[chosen], np.ones(len(chosen), bool))
    assert all(answer.in_domain for answer in served)
    assert [answer.probability for answer in served] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(
    "volume",
    [
        _known((1_000.0,)),  # in alarm
        _known((1_200.0, 500.0)),  # has been
        _known((500.0,), alarm_threshold=0.0),  # not by the rim
        _known((500.0,), rank=None),
        _known((500.0,), interval_minutes=181),
        _known((500.0, 0.0)),  # looked for, and not on the list
    ],
)
def test_where_the_target_is_not_defined_the_fallback_answers_and_says_so(volume: Volume) -> None:
    assert _answer(_known((500.0,))).in_domain
    found = _answer(volume)
    assert not found.in_domain
    assert replace(model(), main=None).predict([volume]) == [found]


def test_a_group_of_which_nothing_is_known_is_no_factor() -> None:
    """For the trees what is missing says something, too: a median in its place would."""
    alone = _known((400.0, 900.0), rank=(3.0, None))
    windows = hot_windows_of([alone])
    features = np.column_stack([hot_features(windows)[name] for name in model().names])
    unknown = [group for group, where in model().columns.items() if np.isnan(features[0, where]).all()]
    assert {"reads", "discussions", "originals", "mix"} >= {*unknown} > {"reads"}
    inside = np.ones(1, bool)
    effects = model().explained(features, inside)[1][0]
    assert all(effects[[*model().columns].index(group)] == 0 for group in unknown)


@pytest.mark.parametrize(
    ("heat", "told"),
    [
        ((2_000.0,), True),
        ((1_200.0, 500.0), True),
        ((999.0,), False),
        ((2_000.0, *[0.0] * 5, None, None), True),  # at the last look its episode went on
        ((2_000.0, 0.0, *[None] * 6), True),
    ],
)
def test_a_topic_that_has_crossed_the_line_is_told(heat: tuple[float | None, ...], told: bool) -> None:
    found = _answer(_known(heat))
    assert any("已过警戒线" in warning for warning in found.warnings) == told
    assert found.crossed == told


@pytest.mark.parametrize(
    ("heat", "hours"),
    [((500.0,), 0), ((500.0, 0.0), 1), ((500.0, None, 0.0), 2), ((500.0, *[0.0] * 7), 7), ((None,), 0), ((0.0,), 0)],
)
def test_a_topic_that_is_off_the_list_is_told_so(heat: tuple[float | None, ...], hours: int) -> None:
    warnings = [one for one in _answer(_known(heat)).warnings if "未见于榜单" in one]
    assert warnings == ([f"已有{hours}小时未见于榜单，热度和名次为最后一次上榜时的值"] if hours else [])
    alone = [one for one in _answer(_known(heat, rank=None)).warnings if "未见于榜单" in one]
    assert alone == ([f"已有{hours}小时未见于榜单，热度为最后一次上榜时的值"] if hours else [])


@pytest.mark.parametrize(("minutes", "silent"), [(60, 1), (60, 5), (30, 2), (20, 3)])
def test_hours_that_nobody_looked_at_are_told_as_such(minutes: int, silent: int) -> None:
    found = _answer(_known((500.0, *[None] * silent), interval_minutes=minutes))
    hours = silent * minutes // 60
    assert found.warnings[-1] == f"最近{hours}小时没有热度数据，热度和名次为最后一次观测的值，话题可能仍在榜单上"
    assert (found.in_domain, found.later) == (False, None)
    then = NOON - timedelta(minutes=silent * minutes)  # its clock is that of the look, too
    assert found.probability == _answer(_known((500.0,), interval_minutes=minutes, as_of=then)).probability
    counted = _known((500.0, *[None] * silent), interval_minutes=minutes, counts=(5.0,) * (silent + 1))
    assert _answer(counted).probability == found.probability


def test_an_hour_of_which_some_was_looked_at_is_current() -> None:
    found = _answer(_known((500.0, None), interval_minutes=30))
    assert found.in_domain
    then = NOON - timedelta(minutes=30)
    assert found.probability == _answer(_known((500.0,), interval_minutes=30, as_of=then)).probability


def test_the_clock_of_an_answer_of_the_last_look_is_that_of_the_look() -> None:
    night = NOON.replace(hour=22)
    later = [_known((500.0, *[None] * hours), as_of=night + timedelta(hours=hours)) for hours in range(1, 7)]
    assert len({_answer(volume).probability for volume in later}) == 1
    cut = hot_windows_of([as_last_seen(volume) for volume in later])
    assert {*cut.hour.tolist()} == {22.5}
    assert hot_windows_of(later).hour[-1] == 4.5


@pytest.mark.parametrize("heat", [(900.0,), (1_200.0, 900.0), (900.0, 0.0)])
def test_a_look_of_over_6_h_ago_counts_as_none(heat: tuple[float, ...]) -> None:
    found = _answer(_known((*heat, *[None] * 7)))
    assert (found.n_obs, found.told_lift, found.in_domain, found.crossed) == (0, None, False, False)
    assert found.warnings[-1] == "最近7小时没有热度数据，上次观测距今超过6小时，升级可能性未知"
    assert {factor.name for factor in found.factors} <= {"clock"}


def test_how_long_nobody_looked_and_how_long_it_was_gone_by_then_are_told_apart() -> None:
    found = _answer(_known((500.0, 0.0, 0.0, None, None)))
    assert found.warnings[-1] == "最近2小时没有热度数据，此前2小时未见于榜单，热度和名次为最后一次上榜时的值"


def test_an_hour_that_shows_a_topic_shows_it_though_its_last_bin_does_not() -> None:
    found = _answer(_known((1_200.0, 0.0), interval_minutes=30))
    assert (found.n_obs, found.crossed) == (1, True)
    heat = (*[600.0] * 4, 700.0, 800.0, 900.0, 0.0)
    assert hot_windows_of([_known(heat, interval_minutes=15)]).heat[0, -2:].tolist() == [600.0, 900.0]
    assert np.isnan(hot_windows_of([_known((*heat, *[0.0] * 4), interval_minutes=15)]).heat[0, -1])


def test_a_head_whose_training_knew_no_places_asks_for_none() -> None:
    windows, already = hot_windows_of([_known((500.0,), rank=None)]), np.zeros(1, bool)
    assert not model().in_domain(windows, already)[0]
    names = tuple(name for name in model().names if not name.startswith("rank"))
    assert replace(model(), names=names).in_domain(windows, already)[0]


@pytest.mark.parametrize(
    ("reads", "discussions", "said"),
    [
        (20_000, 3, "每万次阅读讨论1.5条"),
        (1, 0, "每万次阅读讨论0.0条"),
        (0, 0, "尚无阅读"),
        (0, 5, "尚无阅读"),
        (20_000, None, "每万次阅读的讨论数未知"),
        (None, 5, "每万次阅读的讨论数未知"),
    ],
)
def test_the_mix_is_that_of_the_counts(reads: float | None, discussions: float | None, said: str) -> None:
    windows = hot_windows_of([_known((500.0,), reads=(reads,), discussions=(discussions,))])
    values = {name: float(found[0]) for name, found in hot_features(windows).items()}
    assert HOT_WORDS["mix"](values) == said


@pytest.mark.parametrize(
    ("heat", "group", "said"),
    [
        ((500.0, 500.0, *[None] * 7, 400.0), "momentum", "本轮仅观测1次，尚无走势"),  # not the first time on the list
        ((500.0,) * 47, "age", "本轮上榜47小时，其间观测47次"),
        ((500.0,) * 90, "age", "本轮上榜48小时以上，其间观测48次"),
        ((500.0, None, 500.0, *[None] * 4), "age", "本轮上榜3小时，其间观测2次"),  # since then it was off the list
    ],
)
def test_nothing_is_said_of_what_no_window_holds(heat: tuple[float | None, ...], group: str, said: str) -> None:
    windows = hot_windows_of([_known(heat)])
    values = {name: float(found[0]) for name, found in hot_features(windows).items()}
    assert HOT_WORDS[group](values | {"stay": float(episode_of(windows.heat).stay[0])}) == said


def test_a_place_that_is_unknown_is_called_so() -> None:
    features = hot_features(hot_windows_of([_known((400.0, 900.0), rank=(3.0, None))]))
    assert HOT_WORDS["place"]({name: float(found[0]) for name, found in features.items()}) == "榜单名次未知"


@pytest.mark.parametrize("known", [1, 30])
@pytest.mark.parametrize("name", ARRAYS[1:])
def test_an_array_of_which_nothing_is_known_in_the_window_is_missing(name: str, known: int) -> None:
    """Also one that is given: its nulls stood for measured values."""
    heat, given = (500.0,) * (WIDTH + 30), (7.0,) * known
    alone = {"rank": None, name: (*given, *[None] * (len(heat) - known))}
    assert _answer(_known(heat, **alone)).missing == ARRAYS[1:]
    assert name not in _answer(_known(heat, **alone | {name: (*[None] * (len(heat) - 1), 7.0)})).missing


@pytest.mark.parametrize(("minutes", "told"), [(30, False), (60, False), (61, True), (1_440, True)])
def test_bins_of_over_an_hour_are_told(minutes: int, told: bool) -> None:
    warnings = _answer(_known((400.0, 500.0, 600.0), interval_minutes=minutes)).warnings
    assert (f"每个时段长{minutes}分钟，热度走势和上榜时长只能粗略判断" in warnings) == told


@pytest.mark.parametrize("heat", [(None,), (0.0,), (0.0, None)])
def test_a_topic_that_was_never_seen_is_not_described(heat: tuple[float | None, ...]) -> None:
    found = _answer(_known(heat))
    assert (found.n_obs, found.cold_start) == (0, True)
    assert ("heat" in found.missing) == (None in heat)
    assert {factor.name for factor in found.factors} <= {"clock"}


def test_observations_are_those_of_the_present_episode() -> None:
    assert _answer(_known((500.0, *[None] * 7, 500.0, 0.0, 600.0))).n_obs == 2


def test_an_alarm_before_the_present_episode_does_not_count() -> None:
    assert _answer(_known((2_000.0, *[None] * 6, 500.0))).in_domain


@pytest.mark.parametrize("minutes", [5, 15, 30])
def test_an_alarm_within_an_hour_counts_though_its_last_value_is_below(minutes: int) -> None:
    """The window holds the last value of each hour: an alarm at 11:45 that was over at 12:30 is not in it."""
    found = _answer(_known((900.0, 1_200.0, 900.0), interval_minutes=minutes))
    assert not found.in_domain
    assert any("已过警戒线" in warning for warning in found.warnings)


def test_an_alarm_counts_as_long_as_its_episode_lasts() -> None:
    long_ago = (1_200.0, *[500.0] * 60)  # the window ends at 48 h
    assert not _answer(_known(long_ago)).in_domain
    assert any("已过警戒线" in warning for warning in _answer(_known(long_ago)).warnings)
    assert _answer(_known((1_200.0, *[None] * 6, *[500.0] * 60))).in_domain


@pytest.mark.parametrize(("away", "lasts"), [(6, True), (7, False), (47, False), (48, False)])
@pytest.mark.parametrize("minutes", [15, 60])
@pytest.mark.parametrize("looked", [True, False])
def test_an_alarm_counts_only_while_its_episode_lasts(away: int, lasts: bool, minutes: int, looked: bool) -> None:
    gone = (1_200.0, *[0.0 if looked else None] * (away * 60 // minutes))
    found = _answer(_known(gone, interval_minutes=minutes))
    assert found.crossed == lasts
    assert (found.n_obs > 0) == (lasts or (looked and away < WIDTH))


@settings(max_examples=60, deadline=None)
@given(volumes)
def test_the_highest_heat_is_that_of_the_windows_where_they_hold_every_bin(volume: Volume) -> None:
    windows = hot_windows_of([volume])
    if volume.interval_minutes < 60 or len(volume.heat or ()) * volume.interval_minutes > WIDTH * 60:
        return
    episode = episode_of(windows.heat)
    shown = np.where(episode.seen, windows.heat, -np.inf).max()
    lasts = episode.newest[0] >= WIDTH - 1 - EPISODE_GAP
    assert highest_of(volume) == (shown if lasts else 0)


def test_every_group_has_words_and_every_feature_one_group() -> None:
    assert set(HOT_GROUPS) == set(HOT_WORDS)
    for name in model().names:
        assert sum(name.startswith(prefixes) for prefixes in HOT_GROUPS.values()) == 1, name


def test_a_round_trip_answers_alike() -> None:
    some = [volume_at(record(), row) for row in range(0, 9_000, 900)]
    assert load(dump(model())).predict(some) == model().predict(some)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state | {"low": np.zeros(2)},
        lambda state: state | {"base_rate": 0.0},
        lambda state: state | {"head": "counts"},
        lambda state: state | {"head": "other"},
        lambda state: {name: value for name, value in state.items() if name != "high"},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    state = {field.name: getattr(model(), field.name) for field in fields(HotlistModel)}
    with pytest.raises(BundleError, match="train it again"):
        load(skops.io.dumps(change(state | {"names": list(model().names)})))


@pytest.mark.parametrize("part", ["main", "fallback"])
def test_every_part_of_a_head_is_tried_when_it_is_loaded(part: str) -> None:
    """A linear part of other columns failed at the first topic that it had to answer."""
    features, labels = trained()[0].features, trained()[0].labels
    other, partial = logistic().fit(features[:, :3], labels), logistic().fit(features, labels)
    assert features.shape[1] == len(model().names) + 1
    for whole in (model(), replace(model(), partial=partial)):
        load(dump(whole))
        with pytest.raises(BundleError, match="train it again"):
            load(dump(replace(whole, **{part: other})))


def test_the_scorer_answers_with_either_head(tmp_path: Path) -> None:
    from self_exciting import model as counts_model

    from data.records import Item
    from models.scorer import Scorer

    heads = {"hotlist": model(), "counts": counts_model()}
    files = {escalation_file(head): dump(found) for head, found in heads.items()}
    parts = {head: EscalationPart() for head in heads}
    save_part(tmp_path / "bundle", load_taxonomy(), files, escalation=parts)
    volumes = [_known((500.0, 700.0)), Volume(as_of=NOON, counts=(5.0, 8.0, 9.0))]
    found = Scorer.load(tmp_path / "bundle").score([Item(volume=volume) for volume in volumes])
    assert [result.escalation and result.escalation.head for result in found] == ["hotlist", "counts"]
    assert all(result.error is None and result.risk is not None for result in found)
    heats = ((0.0,) * 3, (None,) * 3, (700.0, *[None] * 7), (700.0, *[0.0] * 48), (700.0, 0.0, 0.0), (0.0, 700.0, None))
    both = [_known(heat, rank=None, counts=(5.0,) * len(heat)) for heat in heats]
    answers = [result.escalation for result in Scorer.load(tmp_path / "bundle").score([Item(volume=v) for v in both])]
    assert [one and one.head for one in answers] == ["counts"] * 4 + ["hotlist"] * 2  # heat that shows no topic is none


def test_the_command_trains_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq
    from typer.testing import CliRunner

    import training.hotlist
    from serving.cli import app

    topics = record()
    hours = (topics.time - topics.time.min()).tolist()
    rows = zip(hours, topics.topic.astype(str), topics.heat, topics.rank.astype(int), strict=True)
    pq.write_table(table_of(list(rows)), tmp_path / "list.parquet")
    monkeypatch.setattr(training.hotlist, "register", lambda bundle: "none")
    names = ("test_from", "test_to", "calibration_days", "embargo_hours", "folds", "fold_days", "iterations",
             "leaf_rows", "learning_rate", "draws")  # fmt: skip
    flags = [f"{name}={getattr(CONFIG, name)}" for name in names] + [f"record='{tmp_path / 'list.parquet'}'"]
    command = ["train", "escalation", "--head", "hotlist", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, [*command, *(part for flag in flags for part in ("--set", flag))])
    assert result.exit_code == 0, result.output
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.manifest.escalation["hotlist"].metrics["models"]["model"]["auroc"][0] > 0.7
    assert load(bundle.read(escalation_file("hotlist"))).head == "hotlist"

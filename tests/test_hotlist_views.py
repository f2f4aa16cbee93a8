"""Incomplete views of hot topics: read as the service would read them, labelled by what came, answered by own trees."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hot_list import CONFIG, model, record, table, trained, volume_at
from rich.console import Console

from data.errors import BundleError
from data.hotlist import ARRAYS, EPISODE_GAP, hot_windows_of
from data.hotlist_features import hot_features
from data.records import Volume
from data.taxonomy import load_taxonomy
from data.volume_windows import HORIZON
from models.bundle import escalation_file, save_part
from models.escalation_head import design
from models.escalation_store import dump, load
from models.hotlist import HotlistModel
from models.hotlist_words import VIEWS
from models.manifest import EscalationPart
from models.taught import file_sha256
from training import hotlist_evaluate, readme
from training.card import _heads
from training.escalation_recalibrate import _hotlist, _partial
from training.evaluate_config import EvaluateConfig
from training.hotlist_decisions import HotDecisions, outcomes
from training.hotlist_evaluate import evaluate_hotlist
from training.hotlist_views import (
    COARSE,
    COARSE_HOURS,
    EVERY,
    OFF,
    UNKNOWN,
    absences,
    fit_partial,
    heat_alone,
    incomplete_views,
    next_crossing,
    taught_views,
    view_figures,
    views_to_test,
)


@cache
def views() -> dict[str, HotDecisions]:
    return incomplete_views(record())


@cache
def taught() -> HotlistModel:
    """The model of the synthetic list with trees for incomplete views."""
    return replace(model(), partial=fit_partial(views(), model().names, CONFIG))


def unplaced(volume: Volume) -> Volume:
    return replace(volume, rank=None)


def away(row: int, snapshot: int) -> Volume:
    """What a caller would send about the topic of a row at a later snapshot that does not show it."""
    hot = record()
    seen, hours = volume_at(hot, row), int(np.floor(hot.snapshots[snapshot])) - int(hot.slot[row])
    arrays = {name: (*getattr(seen, name), *[0.0 if name == "heat" else None] * hours) for name in ARRAYS}
    line = float(hot.line[hot.time == hot.snapshots[snapshot]][0])
    at = datetime.fromtimestamp(round(hot.snapshots[snapshot] * 3600), UTC)
    return Volume(as_of=at, alarm_threshold=line, **arrays)


def served(volumes: list[Volume], names: tuple[str, ...]) -> np.ndarray:
    return design(hot_features(hot_windows_of(volumes)), names)


def test_views_without_places_are_those_that_the_service_gets() -> None:
    rows, labels = outcomes(record())
    for first, (name, unknown) in enumerate(UNKNOWN.items()):
        some, view = slice(first, None, EVERY), views()[name]
        assert (len(view.labels), view.labels.sum()) == (len(labels[some]), labels[some].sum())
        order = np.argsort(record().time[rows[some]], kind="stable")
        volumes = [volume_at(record(), int(row)) for row in rows[some][order][:50]]
        poor = [replace(volume, **dict.fromkeys(unknown)) for volume in volumes]
        np.testing.assert_allclose(view.features[:50], served(poor, view.names), rtol=1e-4, atol=1e-4)


def binned(values: tuple[float | None, ...], hours: int) -> tuple[float | None, ...]:
    """The last value known in each bin of so many hours, counted back from the newest."""
    bins = [values[max(end - hours, 0) : end] for end in range(len(values), 0, -hours)]
    return tuple(next((value for value in reversed(bin) if value is not None), None) for bin in reversed(bins))


@pytest.mark.parametrize("name", COARSE)
def test_coarse_bins_are_read_as_the_service_gets_them_and_are_in_domain(name: str) -> None:
    rows, _ = outcomes(record())
    rows = rows[[*COARSE].index(name) :: EVERY]
    order, view = np.argsort(record().time[rows], kind="stable"), views()[name]
    coarse = []
    for row in rows[order][:50]:
        volume = volume_at(record(), int(row))
        arrays = {
            array: None if array in COARSE[name] else binned(getattr(volume, array), COARSE_HOURS) for array in ARRAYS
        }
        coarse.append(replace(volume, interval_minutes=60 * COARSE_HOURS, **arrays))
    np.testing.assert_allclose(view.features[:50], served(coarse, view.names), rtol=1e-4, atol=1e-4)
    assert [found.in_domain or found.crossed for found in taught().predict(coarse)] == [True] * 50


def test_topics_off_the_list_are_read_as_the_service_gets_them() -> None:
    view = views()[OFF]
    rows, snapshots = absences(record())
    time = record().snapshots[snapshots]
    for i in range(0, len(view.time), len(view.time) // 40):
        found = np.flatnonzero((time == view.time[i]) & (record().episode[rows] == view.episode[i]))
        volume = away(int(rows[found[0]]), int(snapshots[found[0]]))
        if heat_alone(rows[found[0]]):
            volume = replace(volume, **dict.fromkeys(UNKNOWN["heat_alone"]))
        np.testing.assert_allclose(view.features[i], served([volume], view.names)[0], rtol=1e-4, atol=1e-4)


def test_a_topic_off_the_list_escalates_when_it_comes_back_to_the_line_within_6_h() -> None:
    hot, view = record(), views()[OFF]
    hours = view.column("away")
    assert {*hours} == {*range(1, EPISODE_GAP + 1)}
    alone = np.isnan(view.column("reads_log"))
    assert {*hours[alone]} == {*hours[~alone]} == {*hours}
    assert 0 < view.labels.mean() < trained()[0].labels.mean()
    topic = {episode: hot.topic[hot.episode == episode][0] for episode in np.unique(view.episode)[:200]}
    for i in np.flatnonzero(np.isin(view.episode, [*topic])):
        its = hot.topic == topic[view.episode[i]]
        ahead = its & (hot.time > view.time[i]) & (hot.time <= view.time[i] + HORIZON)
        assert view.labels[i] == (hot.heat[ahead] >= hot.line[ahead]).any()
        assert not (its & (hot.time == view.time[i])).any()


def test_the_next_crossing_is_later_and_of_the_same_topic() -> None:
    hot, found = record(), next_crossing(record())
    for row in range(0, len(found), 97):
        later = (hot.topic == hot.topic[row]) & (hot.time > hot.time[row]) & (hot.heat >= hot.line)
        assert found[row] == hot.time[later].min(initial=np.inf)


def test_whole_views_are_answered_as_before() -> None:
    volumes = [volume_at(record(), row) for row in range(0, 9_000, 300)]
    assert taught().predict(volumes) == model().predict(volumes)


def test_incomplete_views_are_in_domain_and_their_likelihood_is_that_of_their_kind() -> None:
    for name, view in views_to_test(views(), CONFIG).items():
        features, every = view.columns(taught().read), np.ones(len(view.time), bool)
        said, before = taught().probabilities(features, every).mean(), taught().regression(features).mean()
        assert said == pytest.approx(view.labels.mean(), abs=0.02)
        if name == OFF:  # the places of this list are random: nobody misses them
            assert abs(said - view.labels.mean()) < 0.2 * abs(before - view.labels.mean())
    rows, snapshots = absences(record())
    gone, alone = away(int(rows[5]), int(snapshots[5])), unplaced(volume_at(record(), 40))
    for volume in (gone, alone):
        found, before = taught().predict([volume])[0], model().predict([volume])[0]
        assert (found.in_domain, before.in_domain) == (not found.crossed, False)
        assert found.later is None
    assert any("未见于榜单" in warning for warning in taught().predict([gone])[0].warnings)


@pytest.mark.parametrize("placed", [True, False])
def test_a_topic_that_has_left_the_list_is_less_likely_and_the_answer_says_why(placed: bool) -> None:
    hot = record()
    rows, snapshots = absences(hot)
    pairs = [(int(row), int(snapshot)) for row, snapshot in zip(rows, snapshots, strict=True)]
    near = [(r, s) for r, s in pairs[::7] if np.log(hot.heat[r] / hot.line[r]) > -0.3][:20]
    there, gone = [volume_at(hot, row) for row, _ in near], [away(row, snapshot) for row, snapshot in near]
    if not placed:
        there, gone = [*map(unplaced, there)], [*map(unplaced, gone)]
    before, after = (np.array([found.probability for found in taught().predict(v)]) for v in (there, gone))
    assert after.mean() < 0.5 * before.mean()
    told = [factor for found in taught().predict(gone) for factor in found.factors if factor.name == "absence"]
    assert len(told) > 10
    assert all(factor.effect < 0 and factor.text.startswith("离开榜单已") for factor in told)


@pytest.mark.parametrize("placed", [True, False])
def test_a_topic_that_left_more_than_6_h_ago_is_out_of_domain_and_no_likelier_than_at_6_h(placed: bool) -> None:
    hot = record()
    rows = [row for row in absences(hot)[0][::40].tolist() if np.log(hot.heat[row] / hot.line[row]) > -1][:20]
    for row in rows:
        seen = volume_at(hot, row) if placed else unplaced(volume_at(hot, row))
        found = []
        for hours in (EPISODE_GAP, EPISODE_GAP + 1, 20):
            heat = (*(seen.heat or ()), *[0.0] * hours)
            rest = {name: (*given, *[None] * hours) for name in ARRAYS[1:] if (given := getattr(seen, name))}
            found.append(taught().predict([replace(seen, heat=heat, **rest)])[0])
        assert [one.in_domain for one in found] == [True, False, False]
        assert max(one.probability for one in found[1:]) < 2 * found[0].probability + 0.01
        assert all(factor.effect < 0 for one in found for factor in one.factors if factor.name == "absence")
    assert "absence" in {factor.name for factor in found[1].factors}


def test_a_topic_that_nobody_looked_for_is_out_of_domain_and_not_called_gone() -> None:
    row = int(absences(record())[0][5])
    seen = volume_at(record(), row)
    for volume in (seen, unplaced(seen)):
        then = taught().predict([volume])[0]
        for hours, alike in ((1, True), (EPISODE_GAP, True), (EPISODE_GAP + 1, False)):
            arrays = {name: (*given, *[None] * hours) for name in ARRAYS if (given := getattr(volume, name))}
            later = volume.as_of + timedelta(hours=hours)
            found = taught().predict([replace(volume, as_of=later, **arrays)])[0]
            assert not found.in_domain
            assert "absence" not in {factor.name for factor in found.factors}
            assert (found.told_lift == then.lift) == alike
            assert alike or found.told_lift is None


def test_a_round_trip_answers_alike_and_trees_of_other_columns_are_refused() -> None:
    volumes = [unplaced(volume_at(record(), row)) for row in range(0, 9_000, 900)]
    assert load(dump(taught())).predict(volumes) == taught().predict(volumes)
    with pytest.raises(BundleError, match="train it again"):
        load(dump(replace(taught(), partial=taught().main)))


def test_the_test_block_teaches_nothing() -> None:
    def altered(view: HotDecisions) -> HotDecisions:
        late = view.time >= views_to_test(views(), CONFIG)[OFF].time.min()
        labels, near = (np.where(late, 1 - given, given) for given in (view.labels, view.nearness))
        return replace(view, labels=labels, nearness=near)

    again = fit_partial({name: altered(view) for name, view in views().items()}, model().names, CONFIG)
    features = views()["no_rank"].columns(taught().read)[::50]
    np.testing.assert_array_equal(again.predict_proba(features), taught().partial.predict_proba(features))  # type: ignore[union-attr]


def test_too_few_crossings_teach_no_trees() -> None:
    calm = {name: replace(view, labels=np.zeros_like(view.labels)) for name, view in views().items()}
    assert fit_partial(calm, model().names, CONFIG) is None


def test_figures_name_each_view_and_are_none_without_such_trees() -> None:
    tested = views_to_test(views(), CONFIG)
    found = view_figures(taught(), tested, 10)
    assert tested[OFF].labels.sum() == 0
    assert set(found) == {*VIEWS} - {OFF}
    for told in found.values():
        said = told["models"]
        assert said["model"]["auroc"][0] > 0.75
        assert said["logistic_regression"]["auroc"][0] > 0.75
    assert set(view_figures(model(), tested, 10)) == {"coarse"}


def test_views_that_a_record_has_not_are_left_out() -> None:
    hot = record()
    assert set(incomplete_views(replace(hot, rank=np.full_like(hot.rank, np.nan)))) == {*COARSE, OFF}
    always = hot.take(hot.episode == np.bincount(hot.episode).argmax())
    one = replace(always, snapshots=np.append(always.time, always.time[-1] + 1), rank=np.full_like(always.rank, np.nan))
    assert taught_views(one) == {}
    assert _partial(taught(), taught_views(one), 0.0, 1e9) == {}
    assert fit_partial({}, model().names, CONFIG) is None


def test_snapshots_within_an_hour_are_no_absence() -> None:
    hot = record()
    often = replace(hot, snapshots=np.unique(np.concatenate([hot.snapshots, np.floor(hot.snapshots) + 0.99])))
    rows, snapshots = absences(often)
    assert len(rows)
    slots = {*zip(hot.topic.tolist(), hot.slot.tolist(), strict=True)}
    looked = np.floor(often.snapshots[snapshots]).astype(int).tolist()
    assert not slots & {*zip(hot.topic[rows].tolist(), looked, strict=True)}


def test_how_near_a_topic_came_that_left_the_list_is_told_alike() -> None:
    view = views()[OFF]
    np.testing.assert_array_equal(view.nearness >= 0.5, view.labels == 1)
    assert ((view.nearness > 0) & (view.nearness < 0.5)).any()


def test_the_pages_and_the_card_have_a_table_of_each_view() -> None:
    every = view_figures(taught(), views(), 10)
    assert set(every) == {*VIEWS}
    own, line = (every[OFF]["models"][who]["brier_skill_score"][0] for who in ("model", "logistic_regression"))
    assert own > line
    models = every[OFF]["models"]
    lines = readme.blocks({}, {"hotlist": {"models": models, "views": every}})["views"].splitlines()
    assert [line.count("|") for line in lines] == [8] * 12
    told = "".join(_heads({"hotlist": EscalationPart(metrics={"models": models, "views": every})}))
    assert all(f"{said} ({every[view]['decisions']:,} decisions" in told for view, said in VIEWS.items())


def test_an_evaluation_measures_the_views_and_tells_those_that_nothing_is_later_than(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(table(), tmp_path / "list.parquet")
    path = str(tmp_path / "list.parquet")
    part = EscalationPart(config=asdict(replace(CONFIG, record=path)), data={"files": {path: file_sha256(path)}})
    files = {escalation_file("hotlist"): dump(taught())}
    told = Console(file=io.StringIO(), width=300)
    bundle = save_part(tmp_path / "bundle", load_taxonomy(), files, escalation={"hotlist": part})
    config = EvaluateConfig(record=path, draws=10)
    assert set(evaluate_hotlist(config, bundle, told)["views"]) == {*VIEWS} - {OFF}
    late = datetime.fromtimestamp(float(views()["no_rank"].time.max()) * 3600 - 1, UTC)
    part = replace(part, recalibration={"main": {}}, calibrated_until=late)
    early = views()[OFF].take(views()[OFF].time < late.timestamp() / 3600)
    monkeypatch.setattr(hotlist_evaluate, "incomplete_views", lambda hot: {**views(), OFF: early})
    assert set(hotlist_evaluate._views(record(), part, CONFIG, told)) == {*VIEWS} - {OFF}
    assert f"left out the view {OFF}" in told.file.getvalue()  # type: ignore[attr-defined]


def test_a_recalibration_reads_incomplete_views_too(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import training.escalation_recalibrate as module

    monkeypatch.setattr(module, "read_hot_list", lambda path: record())
    recents = {who: _hotlist(one, CONFIG, None) for who, one in (("with", taught()), ("without", model()))}  # type: ignore[arg-type]
    assert "partial" not in recents["without"]
    partial = recents["with"]["partial"]
    assert partial.inputs.shape == (len(partial.labels), len(taught().read))
    assert partial.end.max() <= recents["with"]["main"].end.max() + 1
    assert partial.begin >= recents["with"]["main"].end.max() - HORIZON - 24 * CONFIG.recalibrate_days - 1

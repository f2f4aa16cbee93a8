"""`--recalibrate`: what was learnt stays, the level follows the latest days, too few are refused, answers warn."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from self_exciting import CONFIG, model, trained, write_series

from data.errors import BundleError, ConfigError, CorpusError
from data.records import Volume
from data.taxonomy import load_taxonomy
from models.bundle import SHIPPED, escalation_file, open_bundle, save_part
from models.escalation_store import dump, load
from models.manifest import EscalationPart
from models.staleness import WARN_AFTER_DAYS
from serving.model_card import head_calibrations
from training.escalation import train_escalation
from training.escalation_config import EscalationConfig
from training.escalation_fit import tuned
from training.escalation_recalibrate import Recent, recalibrate, recalibrate_model, source_of
from training.hotlist import train_hotlist
from training.hotlist_config import HotlistConfig

QUIET = Console(quiet=True)


def _recent(shift: int = 1) -> dict[str, Recent]:
    _, decisions, where, table = trained()
    labels = table.labels[where.test] * (np.arange(where.test.sum()) % shift == 0)
    return {"in_domain": Recent(table.features[where.test], labels, decisions.end[where.test])}


def test_only_the_sigmoid_changes() -> None:
    new, about = recalibrate_model(model(), _recent(3), 30)
    assert new.main is model().main
    assert new.fallback is model().fallback
    assert new.outside == model().outside
    assert (new.names, new.base_rate) == (model().names, model().base_rate)
    assert new.warn_after_days == 30
    assert new.calibrated_until == _recent()["in_domain"].end.max()
    assert about["in_domain"]["after"]["ece"] < about["in_domain"]["before"]["ece"]


def test_what_measures_a_new_sigmoid_is_decided_after_the_labels_that_made_it() -> None:
    recent = _recent()["in_domain"]
    for span in (6, 24):
        early, late = replace(recent, span=span).halves()
        assert len(early.end)
        assert len(late.end)
        assert (late.end - span).min() >= early.end.max()


@pytest.mark.parametrize("name", ["in_domain", "out_of_domain"])
def test_a_new_sigmoid_of_one_side_of_the_domain_changes_nothing_on_the_other(name: str) -> None:
    _, _, where, table = trained()
    voices = tuned(model(), (0.0, 0.7, 0.3), table.features[where.calibration], table.labels[where.calibration])
    old = replace(model(), voices=voices)
    few, many = _recent()["in_domain"].take(np.arange(where.test.sum()) < 3), _recent(4)["in_domain"]
    new, about = recalibrate_model(old, {"in_domain": few, "out_of_domain": few} | {name: many}, 30)
    assert list(about) == [name]
    for inside in (True, False):
        rows = np.full(len(many.inputs), inside)
        moved = np.abs(new.probabilities(many.inputs, rows) - old.probabilities(many.inputs, rows)).max()
        assert (moved > 0.01) == (inside == (name == "in_domain"))


def test_a_training_that_is_told_whose_head_to_recalibrate_is_refused(tmp_path: Path) -> None:
    """Without the flag it trained anew, from nothing, and never looked at the bundle."""
    bundle, out = "models/bundle", str(tmp_path)
    with pytest.raises(ConfigError, match=r"bundle=models/bundle: only --recalibrate takes the head"):
        train_escalation(replace(CONFIG, bundle=bundle, out=out), QUIET)
    with pytest.raises(ConfigError, match=r"bundle=models/bundle: only --recalibrate takes the head"):
        train_hotlist(HotlistConfig(bundle=bundle, out=out), QUIET)


@pytest.mark.parametrize("left", [0, 1])
def test_one_sided_days_are_refused(left: int) -> None:
    one = _recent()["in_domain"]
    with pytest.raises(CorpusError, match="at least 30 escalations and 30 calm decisions"):
        recalibrate_model(model(), {"in_domain": replace(one, labels=np.full_like(one.labels, left))}, 30)


def test_an_old_calibration_and_a_cold_start_are_told() -> None:
    until = datetime(2024, 3, 1, tzinfo=UTC)
    dated = replace(model(), calibrated_until=until.timestamp() / 3600, warn_after_days=45)
    volumes = [
        Volume(as_of=until + timedelta(days=days), counts=(30.0,) * n) for days, n in ((45, 9), (46, 9), (1, 2), (1, 3))
    ]
    fresh, old, cold, warm = dated.predict(volumes)
    assert (fresh.calibration_stale, old.calibration_stale) == (False, True)
    assert fresh.calibrated_until == old.calibrated_until == until
    assert fresh.warnings == old.warnings == ()  # the sentence is in the log of the start, not in every answer
    assert (cold.cold_start, warm.cold_start) == (True, False)
    assert "冷启动" in cold.warnings[0]
    assert not replace(dated, calibrated_until=None).predict(volumes[:2])[1].calibration_stale
    for days in (10**9, 10**20):  # more than a span of time can have
        assert not replace(dated, warn_after_days=days).predict(volumes[:2])[1].calibration_stale


def test_the_command_keeps_the_bundle_and_dates_the_head(tmp_path: Path) -> None:
    source, series = tmp_path / "source", write_series(tmp_path / "series.jsonl")
    files = {escalation_file("counts"): dump(model()), "note.txt": b"kept"}
    save_part(source, load_taxonomy(), files, escalation={"counts": EscalationPart(config={"a": 1})})
    config = EscalationConfig(series=(str(series),), bundle=str(source), out=str(tmp_path / "out"))
    told = Console(file=io.StringIO(), width=300)
    bundle = recalibrate("counts", config, told)
    assert bundle.read("note.txt") == b"kept"
    part = open_bundle(bundle.folder).manifest.escalation["counts"]
    found = load(bundle.read(escalation_file("counts")))
    assert part.config == {"a": 1, "warn_after_days": found.warn_after_days}
    assert part.calibrated_until == found.calibration_end
    assert part.recalibration["in_domain"]["decisions"] > 0
    assert "out_of_domain" not in part.recalibration  # the head has the new date, and this part its old sigmoid
    assert "left out out_of_domain: " in told.file.getvalue()  # type: ignore[attr-defined]
    assert "left out in_domain" not in told.file.getvalue()  # type: ignore[attr-defined]
    assert f"yujing self-test --write --bundle {bundle.folder}\n" in told.file.getvalue()  # type: ignore[attr-defined]
    with pytest.raises(BundleError, match="has no hotlist head"):
        recalibrate("hotlist", HotlistConfig(bundle=str(source), out=str(tmp_path / "out")), QUIET)


@pytest.mark.parametrize(("given", "kept"), [(None, 17), (30, 30)])
def test_the_age_to_warn_from_stays_unless_it_is_given(tmp_path: Path, given: int | None, kept: int) -> None:
    """In the head, which answers, and in the manifest, which the service shows."""
    source, series = tmp_path / "source", write_series(tmp_path / "series.jsonl")
    files = {escalation_file("counts"): dump(replace(model(), warn_after_days=17))}
    part = EscalationPart(config={"warn_after_days": 17})
    save_part(source, load_taxonomy(), files, escalation={"counts": part})
    config = EscalationConfig(series=(str(series),), bundle=str(source), out=str(tmp_path), warn_after_days=given)
    bundle = recalibrate("counts", config, QUIET)
    assert load(bundle.read(escalation_file("counts"))).warn_after_days == kept
    assert head_calibrations(bundle)["counts"].stale_after_days == kept


@pytest.mark.parametrize(
    ("head", "config"),
    [
        ("counts", EscalationConfig(iterations=5, seed=3)),
        ("hotlist", HotlistConfig(iterations=5, seed=3)),
    ],
)
def test_settings_of_a_training_are_refused_by_name(head: str, config: EscalationConfig | HotlistConfig) -> None:
    """They did nothing, unsaid."""
    told = "iterations=5, seed=3: --recalibrate trains nothing, what was learnt stays as it is, and it reads only "
    with pytest.raises(ConfigError, match=told):
        recalibrate(head, config, QUIET)


def test_the_head_of_the_bundle_in_out_goes_before_the_shipped_one(tmp_path: Path) -> None:
    """A desk that recalibrates its own bundle in place must not get another's head."""
    series, out = write_series(tmp_path / "series.jsonl"), tmp_path / "mine"
    own = EscalationPart(config={"own": True})
    save_part(out / "bundle", load_taxonomy(), {escalation_file("counts"): dump(model())}, escalation={"counts": own})
    told = Console(file=io.StringIO(), width=300)
    bundle = recalibrate("counts", EscalationConfig(series=(str(series),), out=str(out)), told)
    assert bundle.manifest.escalation["counts"].config["own"]
    assert f"in {out / 'bundle'} is recalibrated" in told.file.getvalue()  # type: ignore[attr-defined]
    assert source_of("counts", replace(CONFIG, out=str(tmp_path / "new"))).folder == SHIPPED
    assert source_of("hotlist", HotlistConfig(out=str(out))).folder == SHIPPED


@pytest.mark.parametrize(("over", "stale"), [(timedelta(minutes=-5), False), (timedelta(minutes=5), True)])
def test_answers_and_the_page_of_the_model_agree_when_a_calibration_is_stale(
    tmp_path: Path, over: timedelta, stale: bool
) -> None:
    """The page compared days of two decimals: an answer was stale while the page and the log of the start were not."""
    until = datetime(2026, 3, 1, tzinfo=UTC)
    then, head = until + timedelta(days=90) + over, replace(model(), calibrated_until=until.timestamp() / 3600)
    part = EscalationPart(calibrated_until=until)
    bundle = save_part(tmp_path, load_taxonomy(), {escalation_file("counts"): dump(head)}, escalation={"counts": part})
    assert head.warn_after_days == head_calibrations(bundle)["counts"].stale_after_days == WARN_AFTER_DAYS
    assert head.predict([Volume(as_of=then, counts=(30.0,) * 9)])[0].calibration_stale == stale
    assert head_calibrations(bundle, now=then)["counts"].stale == stale

"""A recalibrated head: measured on later decisions only, and no figure of the old head is told as its own."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path

import hot_list
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from self_exciting import CONFIG, model, trained, write_series

from data.errors import CorpusError
from data.taxonomy import load_taxonomy
from models.bundle import CARD, Bundle, escalation_file, open_bundle, save_part
from models.escalation_store import dump
from models.manifest import EscalationPart
from models.taught import file_sha256
from training.escalation_config import EscalationConfig
from training.escalation_recalibrate import recalibrate
from training.escalation_simulate import simulate
from training.escalation_simulate_config import SimulateConfig
from training.evaluate import evaluate
from training.evaluate_config import EvaluateConfig

QUIET = Console(quiet=True)
OLD = {"models": {"model": {"auroc": [0.8765, 0.8, 0.9]}}}


@pytest.fixture
def series(tmp_path: Path) -> str:
    """All 200 topics, which taught the head."""
    return str(write_series(tmp_path / "series.jsonl"))


@pytest.fixture
def source(series: str, tmp_path: Path) -> Bundle:
    part = EscalationPart(config=asdict(CONFIG), data={"files": {"series.jsonl": file_sha256(series)}}, metrics=OLD)
    files = {escalation_file("counts"): dump(model())}
    return save_part(tmp_path / "source", load_taxonomy(), files, escalation={"counts": part})


def recalibrated(source: Bundle, series: str, out: Path) -> Bundle:
    return recalibrate("counts", EscalationConfig(series=(series,), bundle=str(source.folder), out=str(out)), QUIET)


def earlier(series: str, path: Path) -> str:
    """The first 170 topics, of about 86 days."""
    path.write_text("".join(Path(series).read_text(encoding="utf-8").splitlines(keepends=True)[:170]), encoding="utf-8")
    return str(path)


def measured(bundle: Bundle, series: str, out: Path) -> int:
    """Decisions that an evaluation is about."""
    config = EvaluateConfig(
        bundle=str(bundle.folder), posts=(), series=(series,), record="", draws=10, out=str(out / "found.json")
    )
    found = evaluate(config, QUIET)["escalation"]
    return int(found["in_domain"]["rows"]) + int(found["out_of_domain"]["rows"])


def test_only_later_decisions_of_the_test_block_measure_it(source: Bundle, series: str, tmp_path: Path) -> None:
    _, decisions, where, _ = trained()
    assert measured(source, series, tmp_path) == where.test.sum()
    bundle = recalibrated(source, earlier(series, tmp_path / "early.jsonl"), tmp_path / "out")
    until = bundle.manifest.escalation["counts"].calibrated_until
    assert until is not None
    later = where.test & (decisions.end - 6 >= until.timestamp() / 3600)
    assert 0 < later.sum() < where.test.sum()
    assert measured(bundle, series, tmp_path) == later.sum()


def test_other_series_measure_it_from_then_on_only(source: Bundle, series: str, tmp_path: Path) -> None:
    _, decisions, _, _ = trained()
    bundle = recalibrated(source, earlier(series, tmp_path / "early.jsonl"), tmp_path / "out")
    other = tmp_path / "other.jsonl"
    other.write_text(
        Path(series).read_text(encoding="utf-8").replace('"topic_id": "t', '"topic_id": "x'), encoding="utf-8"
    )
    until = bundle.manifest.escalation["counts"].calibrated_until
    assert until is not None
    assert measured(bundle, str(other), tmp_path) == (decisions.end - 6 >= until.timestamp() / 3600).sum()


def test_the_rows_that_calibrated_it_are_no_measure(source: Bundle, series: str, tmp_path: Path) -> None:
    bundle = recalibrated(source, series, tmp_path / "out")
    with pytest.raises(CorpusError, match=r"recalibrated on labels until .* give later data"):
        measured(bundle, series, tmp_path)
    config = SimulateConfig(bundle=str(bundle.folder), series=(series,), out=str(tmp_path / "policy"))
    with pytest.raises(CorpusError, match="recalibrated on labels until"):
        simulate("counts", config, QUIET)


@pytest.mark.parametrize(("days", "same"), [(30, True), (10, True), (30, False)])
def test_days_that_taught_the_head_are_told_when_they_recalibrate_it(
    source: Bundle, series: str, tmp_path: Path, days: int, same: bool
) -> None:
    """The trees are too sure of what they have learnt, and a sigmoid from it keeps that."""
    until = datetime(2024, 3, 20, tzinfo=UTC)  # the series end 22 days later
    part = replace(source.manifest.escalation["counts"], calibrated_until=until)
    save_part(source.folder, None, {}, escalation={"counts": part})
    other = tmp_path / "other.jsonl"
    other.write_text(Path(series).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    told, bundle = Console(file=io.StringIO(), width=400), str(source.folder)
    config = EscalationConfig(series=(series if same else str(other),), bundle=bundle, out=str(tmp_path / "out"))
    recalibrate("counts", replace(config, recalibrate_days=days), told)
    assert ("taught the head until 2024-03-20" in told.file.getvalue()) == (same and days == 30)  # type: ignore[attr-defined]


def test_the_old_figures_are_told_as_those_before(source: Bundle, series: str, tmp_path: Path) -> None:
    bundle = recalibrated(source, series, tmp_path / "once")
    again = recalibrated(bundle, series, tmp_path / "twice")
    for found in (bundle, again):
        assert open_bundle(found.folder).manifest.escalation["counts"].metrics == {"before_recalibration": OLD}
        card = (found.folder / CARD).read_text(encoding="utf-8")
        assert "0.876 [0.800, 0.900]" in card or "0.877 [0.800, 0.900]" in card
        assert "not measured since; before its recalibration" in card


def test_a_replay_of_days_that_taught_the_head_says_so(tmp_path: Path) -> None:
    record = tmp_path / "list.parquet"
    pq.write_table(hot_list.table(), record)
    files = {escalation_file("hotlist"): dump(hot_list.model())}
    part = EscalationPart(config=asdict(hot_list.CONFIG))
    bundle = save_part(tmp_path / "bundle", load_taxonomy(), files, escalation={"hotlist": part})
    config = SimulateConfig(bundle=str(bundle.folder), record=str(record), out=str(tmp_path / "policy"))
    told = {}
    for day in (None, date(2024, 2, 10)):
        console = Console(file=io.StringIO(), width=300)
        simulate("hotlist", replace(config, test_from=day), console)
        told[day] = console.file.getvalue()  # type: ignore[attr-defined]
    assert ["taught the head" in said for said in told.values()] == [False, True]

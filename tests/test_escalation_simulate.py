"""`yujing policy simulate` from series to table, picture and JSON; a crossing is where the posts arrive."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from altered import edited
from rich.console import Console
from self_exciting import CONFIG, model, trained, write_series
from typer.testing import CliRunner

from data.errors import BundleError, ConfigError
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, escalation_file, save_part
from models.escalation_store import dump
from models.manifest import EscalationPart
from models.policy import DEFAULT_PATH
from serving.cli import app
from training.escalation_simulate import crossings, simulate
from training.escalation_simulate_config import SimulateConfig


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    part = EscalationPart(config=asdict(CONFIG))
    files = {escalation_file("counts"): dump(model())}
    return save_part(tmp_path / "bundle", load_taxonomy(), files, escalation={"counts": part})


def test_a_decision_that_escalates_is_due() -> None:
    topics, decisions, _, table = trained()
    crossing = crossings(topics, decisions, table.diurnal)
    now = decisions.end - 6
    before = now < crossing
    labels = decisions.labels(table.diurnal).astype(bool)
    assert (crossing <= decisions.end)[before & labels].all()
    never = np.isinf(crossing)
    assert never.any()
    assert not labels[never].any()


def test_the_command_measures_what_is_served_unless_told_otherwise(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = edited(DEFAULT_PATH, tmp_path, 'version = "1"', 'version = "mine"')
    series, out = write_series(tmp_path / "s.jsonl"), tmp_path / "out"
    monkeypatch.setenv("YUJING_BUNDLE", str(bundle.folder))
    monkeypatch.setenv("YUJING_POLICY", str(own))
    command = ["policy", "simulate", "--out", str(out), "--set", f'series=["{series}"]']
    told = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert f"{bundle.model_id} ({bundle.folder}) by the risk policy {own}" in told.output.replace("\n", "")
    config = json.loads((out / "counts.json").read_text("utf-8"))["config"]
    assert (config["bundle"], config["policy"], config["signals"]) == (str(bundle.folder), str(own), None)
    told = CliRunner().invoke(app, [*command, "--set", 'policy="other.toml"'])
    assert told.exception is not None
    assert "other.toml" in str(told.exception)


def test_history_is_replayed_into_a_table_a_picture_and_json(bundle: Bundle, tmp_path: Path) -> None:
    series, out, console = write_series(tmp_path / "s.jsonl"), tmp_path / "out", Console(file=io.StringIO(), width=160)
    config = SimulateConfig(bundle=str(bundle.folder), series=(str(series),), out=str(out), false_alarms_per_day=2)
    found = simulate("counts", config, console)
    assert list(found["rules"])[:4] == ["blue", "yellow", "orange", "red"]
    assert list(found["rules"])[4].startswith("threshold 0.")
    crossed = {rule["crossings"] for rule in found["rules"].values()}
    assert len(crossed) == 1
    assert min(crossed) > 0
    assert json.loads((out / "counts.json").read_text("utf-8"))["model"] == bundle.model_id
    assert (out / "counts.svg").read_text("utf-8").startswith("<svg")
    assert "lead h" in console.file.getvalue()  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="test_from: the head counts does not read this: give --head hotlist"):
        simulate("counts", replace(config, test_from=date(2026, 1, 1)), console)
    with pytest.raises(BundleError, match="has no hotlist head"):
        simulate("hotlist", replace(config, series=SimulateConfig().series, record="nowhere"), console)
    with pytest.raises(ConfigError, match="series: the head hotlist does not read this: give --head counts"):
        simulate("hotlist", config, console)

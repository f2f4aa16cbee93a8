"""The counts head on somebody's own series: beside what these series alone would have taught."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from self_exciting import CONFIG, model, trained, write_series

from data.taxonomy import load_taxonomy
from data.volume import count_features
from models.bundle import escalation_file, save_part
from models.escalation_store import dump
from models.manifest import EscalationPart
from training.escalation_fit import SCORES, tabulate
from training.evaluate import evaluate
from training.evaluate_config import EvaluateConfig

OURS = {"model", "fallback", "as_served", "as_served_recalibrated"}


def measured(series: Path, tmp_path: Path, lines: int | None = None) -> tuple[dict[str, Any], str]:
    """The head of other series asked about these; what it printed."""
    kept = series.read_text(encoding="utf-8").splitlines(keepends=True)[:lines]
    series.write_text("".join(kept), encoding="utf-8")
    part = EscalationPart(config=asdict(CONFIG), data={"files": {"theirs.jsonl": "0" * 64}})
    files = {escalation_file("counts"): dump(model())}
    bundle = save_part(tmp_path / "bundle", load_taxonomy(), files, escalation={"counts": part})
    told = io.StringIO()
    config = EvaluateConfig(
        bundle=str(bundle.folder), posts=(), series=(str(series),), record="", draws=10, out=str(tmp_path / "out.json")
    )
    return evaluate(config, Console(file=told, width=200))["escalation"], told.getvalue()


def test_the_latest_topics_are_measured_beside_baselines_of_the_earlier_ones(tmp_path: Path) -> None:
    found, told = measured(write_series(tmp_path / "mine.jsonl"), tmp_path)
    beside, (_, _, where, _) = found["beside_baselines"], trained()
    assert {*beside} == {*OURS, "logistic_regression", *SCORES}
    assert beside["constant"]["auroc"][0] == 0.5
    assert beside["as_served"]["auroc"][0] > 0.6
    assert beside["as_served_recalibrated"]["ece"][0] < 0.2
    assert found["in_domain"]["rows"] + found["out_of_domain"]["rows"] > where.test.sum()  # the other table
    assert "beside baselines that learnt from the earlier ones" in told


def test_baselines_read_the_hours_of_the_day_that_make_their_labels() -> None:
    """By those of the user's series they read other `posts needed` than the target asks for: the head looked better."""
    topics, decisions, where, _ = trained()
    night = np.linspace(0.2, 1.8, 24)
    table = tabulate(topics, decisions, where, night)
    assert np.array_equal(table.labels, decisions.labels(night))
    assert np.array_equal(table.column("log_needed"), count_features(decisions.windows, night)["log_needed"])
    assert not np.array_equal(table.column("log_needed"), tabulate(topics, decisions, where).column("log_needed"))


def test_few_topics_are_measured_alone_and_that_is_told(tmp_path: Path) -> None:
    found, told = measured(write_series(tmp_path / "mine.jsonl"), tmp_path, 20)
    assert "beside_baselines" not in found
    assert "left out baselines that learn from these series: " in told

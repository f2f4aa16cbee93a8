"""The longer horizon of the hotlist head, and an ablation that never sees the test block."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hot_list import CONFIG, model, table, trained
from rich.console import Console

from data.taxonomy import load_taxonomy
from models.bundle import escalation_file, save_part
from models.escalation_store import dump
from models.hotlist import DAY
from models.hotlist_words import HOT_GROUPS
from models.manifest import EscalationPart
from models.taught import file_sha256
from training.evaluate_config import EvaluateConfig
from training.hotlist_evaluate import _without, ablation, evaluate_hotlist


def test_the_longer_horizon_is_never_less_likely_and_never_resolved_wrongly() -> None:
    decisions, where = trained()
    known = ~np.isnan(decisions.day_labels)
    assert (decisions.day_labels[known] >= decisions.labels[known]).all()
    assert (decisions.day_labels[known] == (decisions.alarm <= decisions.time + DAY)[known]).all()
    rows = decisions.features[where.test][:200]
    inside = np.ones(len(rows), bool)
    likelihood = model().probabilities(rows, inside)
    for outlook, six in zip(model().outlooks(rows, inside, likelihood), likelihood, strict=True):
        assert outlook is not None
        assert outlook.horizon_hours == DAY
        assert outlook.probability >= round(six, 4)
        assert outlook.lift == pytest.approx(outlook.probability / model().day_base_rate, abs=0.1)
    assert model().outlooks(rows, ~inside, likelihood) == [None] * len(rows)


def test_an_ablation_leaves_each_group_out_before_the_test_block() -> None:
    decisions, _ = trained()
    config = replace(CONFIG, fold_days=12, calibration_days=8, iterations=5)
    found = ablation(decisions, config)
    assert set(found) == {"all features", *(f"without {group}" for group in {*HOT_GROUPS} - {"absence"})}
    later = decisions.features.copy()
    later[decisions.time >= decisions.time.max() - 24 * 5] = 9.0  # inside the test block
    assert ablation(replace(decisions, features=later), config) == found
    for group, prefixes in HOT_GROUPS.items():
        left = [decisions.names[i] for i in _without(decisions.names, group)]
        assert not any(name.startswith(prefixes) for name in left)


def test_an_ablation_without_the_days_that_it_needs_is_told_and_the_report_goes_on(tmp_path: Path) -> None:
    """Those of another record lie after the days of the training: the trees of no decision ended the evaluation."""
    taught, other = tmp_path / "taught.parquet", tmp_path / "other.parquet"
    pq.write_table(table(), taught)
    hours = np.array([time.timestamp() for time in table()["time"].to_pylist()]) / 3600 + 90 * 24
    later = pa.array((hours * 3.6e9).astype(np.int64), pa.timestamp("us", "Asia/Shanghai"))
    pq.write_table(table().set_column(0, "time", later), other)
    settings = asdict(replace(CONFIG, record=str(taught)))
    part = EscalationPart(config=settings, data={"files": {str(taught): file_sha256(str(taught))}})
    files = {escalation_file("hotlist"): dump(model())}
    bundle = save_part(tmp_path / "bundle", load_taxonomy(), files, escalation={"hotlist": part})
    told = Console(file=io.StringIO(), width=300)
    config = EvaluateConfig(record=str(other), ablation=True, draws=10)
    found = evaluate_hotlist(config, bundle, told)
    assert "models" in found
    assert "ablation" not in found
    assert "left out ablation before 2024-02-24, the test block of the training: the fit block has 0 escalations" in (
        told.file.getvalue()  # type: ignore[attr-defined]
    )

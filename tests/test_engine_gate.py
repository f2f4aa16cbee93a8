"""The gate of the engines: equal answers pass, worse ones do not, and the figures say by how much."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models import engine_build
from models.bundle import Bundle
from models.engine import Engine
from models.text import TextPredictions
from training import engine_gate as gate
from training.text_report import Truth

TAXONOMY = load_taxonomy()
ROWS = sample_examples()[::5]
GROUPS = range(len(ROWS))


class Scrambled:
    """An engine that gives every row the logits of its neighbour."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner

    def logits(self, rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
        category, severity = self.inner.logits(rows)
        return np.roll(category, 1, axis=0), np.roll(severity, 1, axis=0)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tiny_bundle: Bundle) -> Bundle:
    """torch, onnx, and an engine that mixes rows up; a bundle whose linear reader is silent, so that engines decide."""
    build = engine_build.ENGINES["onnx"]
    known = {"torch": engine_build.ENGINES["torch"], "onnx": build, "scrambled": lambda *args: Scrambled(build(*args))}
    monkeypatch.setattr(gate, "ENGINES", known)
    monkeypatch.setattr(engine_build, "ENGINES", known)
    text = tiny_bundle.manifest.text
    assert text is not None
    silent = replace(text, calibration=replace(text.calibration, lexical_weight=0.0))
    return replace(tiny_bundle, manifest=replace(tiny_bundle.manifest, text=silent))


def test_equal_answers_pass_and_mixed_up_ones_are_told(engines: Bundle) -> None:
    found = gate.engine_gate(engines, ROWS, GROUPS, TAXONOMY, threads=1, draws=20)
    assert set(found) == {"onnx", "scrambled"}
    assert found["onnx"]["passed"]
    assert found["onnx"]["same_decisions"] == 1
    assert found["onnx"]["lost"]["macro_f1"] == [0, 0, 0]
    assert found["onnx"]["largest_difference"] < 1e-4
    assert found["scrambled"]["largest_difference"] > 1e-3


def test_the_table_names_what_failed() -> None:
    good = {"lost": {key: [0.0, 0.0, 0.0] for key in ("a", "b", "c")}, "same_decisions": 1.0, "passed": True}
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(gate.gate_table("engines", {"onnx": good, "int8": {**good, "passed": False}}))
    text = console.export_text()
    assert "passed" in text
    assert "FAILED" in text


def test_an_engine_that_loses_more_than_half_a_point_fails() -> None:
    rows = sample_examples()
    truth = Truth.of(rows, range(len(rows)), TAXONOMY)
    probabilities = np.eye(len(TAXONOMY.ids))[truth.category]
    right = TextPredictions(
        probabilities, np.eye(5)[truth.rank], truth.category, truth.rank, probabilities > 0, truth.rank > 9
    )
    worse = replace(right, rank=np.where(truth.rank == 4, 1, truth.rank))
    found = gate._against(right, worse, truth, draws=20)
    assert not found["passed"]
    assert found["same_decisions"] < 1
    assert found["lost"]["macro_f1"][0] == 0 < found["lost"]["severe_recall"][0]
    assert gate._against(right, right, truth, draws=20)["passed"]

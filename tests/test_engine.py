"""Engines: ONNX and torch agree, a row's answer does not depend on its batch, a graph is built once per key."""

from __future__ import annotations

import copy
import importlib
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from data.errors import ConfigError
from data.samples import sample_examples
from models import engine_build
from models.adapter import load_classifier
from models.bundle import Bundle
from models.cache import one_builder
from models.engine import Engine, OnnxEngine, TorchEngine
from models.engine_build import ENGINES, build_int8, build_onnx, int8_folder, load_text_model, onnx_path
from models.engine_key import engine_key
from models.export import export_onnx, merged
from models.openvino_engine import OpenVinoEngine

TEXTS = [example.text for example in sample_examples()[::4]] + ["", "退", "很" * 600, "😂"]


@pytest.fixture(scope="module")
def rows() -> list[list[int]]:
    """Ids of rows from 2 to 256 tokens long, short and long ones mixed."""
    random = np.random.default_rng(0)
    lengths = [2, 256, 3, 17, 100, 5, 64, 2, 255, 30]
    return [[0, *random.integers(4, 1000, length - 2).tolist(), 2] for length in lengths]


@pytest.fixture(scope="module", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tiny_bundle: Bundle) -> Engine:
    return load_text_model(tiny_bundle, request.param, threads=1).engine


def test_onnx_and_torch_agree_on_probabilities_and_decisions(tiny_bundle: Bundle) -> None:
    onnx, reference = (load_text_model(tiny_bundle, name, threads=1).predict(TEXTS) for name in ("onnx", "torch"))
    assert np.abs(onnx.category - reference.category).max() < 1e-3
    assert np.abs(onnx.severity - reference.severity).max() < 1e-3
    assert (onnx.chosen == reference.chosen).all()
    assert (onnx.rank == reference.rank).all()


def test_a_classifier_that_was_trained_elsewhere_is_fetched_to_where_its_rows_are(rows: list[list[int]]) -> None:
    class OnGpu(torch.nn.Module):
        """What a training on a GPU leaves, as far as a machine without one can tell."""

        fetched = False

        def cpu(self) -> OnGpu:
            self.fetched = True
            return self

        def forward(self, ids: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            if not self.fetched:
                raise RuntimeError("Expected all tensors to be on the same device")
            return torch.zeros(len(ids), 17), torch.zeros(len(ids), 3)

    category, _ = TorchEngine(OnGpu(), 1).logits(rows)
    assert len(category) == len(rows)


def test_one_row_alone_is_answered_as_among_many(engine: Engine, rows: list[list[int]]) -> None:
    many = engine.logits(rows)
    for i, row in enumerate(rows):
        for head, alone in zip(many, engine.logits([row]), strict=True):
            np.testing.assert_allclose(head[i], alone[0], atol=1e-5)


@pytest.mark.parametrize("name", ["int8", "bf16"])
def test_rounding_never_depends_on_the_neighbours(tiny_bundle: Bundle, rows: list[list[int]], name: str) -> None:
    engine = load_text_model(tiny_bundle, name, threads=1).engine
    many = engine.logits([*rows, *rows[::-1], rows[3]])
    for i, row in enumerate(rows):
        for head, alone in zip(many, engine.logits([row]), strict=True):
            np.testing.assert_array_equal(head[i], alone[0])


@pytest.mark.parametrize("name", ["int8", "bf16"])
def test_rounded_engines_stay_near_the_reference(tiny_bundle: Bundle, name: str) -> None:
    rounded, reference = (load_text_model(tiny_bundle, key, threads=1).predict(TEXTS) for key in (name, "torch"))
    assert np.abs(rounded.category - reference.category).max() < 0.05
    assert (rounded.chosen == reference.chosen).mean() > 0.9


def test_one_engine_serves_several_threads(tiny_bundle: Bundle, rows: list[list[int]]) -> None:
    engine = load_text_model(tiny_bundle, "int8", threads=1).engine
    wanted = engine.logits(rows)[0]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: engine.logits(rows)[0], range(12)):
            np.testing.assert_array_equal(found, wanted)


def test_an_engine_is_not_tied_to_the_first_core(tiny_bundle: Bundle) -> None:
    engine = OpenVinoEngine(build_int8(tiny_bundle), 1, 1)
    assert engine.model.get_property("ENABLE_CPU_PINNING") is False  # else two processes share one core


def test_a_compiled_engine_is_kept_where_it_may_be_written(
    tiny_bundle: Bundle, rows: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build_int8(tiny_bundle)
    kept, again = (OpenVinoEngine(path, 1, 1).logits(rows) for _ in range(2))
    assert any((path.parent / "compiled").iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)
    for first, *others in zip(kept, again, OpenVinoEngine(path, 1, 1).logits(rows), strict=True):
        for other in others:
            np.testing.assert_array_equal(first, other)


def test_one_process_at_a_time_compiles_where_nothing_is_kept_yet(tiny_bundle: Bundle, tmp_path: Path) -> None:
    """Two that started together left a sum of what neither had written, and the next start called it damaged."""
    shutil.copytree(build_int8(tiny_bundle).parent, tmp_path / "engine", ignore=shutil.ignore_patterns("compiled"))
    kept = tmp_path / "engine" / "compiled" / "model-1"
    with ThreadPoolExecutor(1) as beside:
        with one_builder(kept):
            opening = beside.submit(OpenVinoEngine, tmp_path / "engine" / "model.xml", 1, 1)
            time.sleep(0.5)
            assert not [*kept.glob("*.blob")]
        opening.result()
    assert [*kept.glob("*.blob")]
    with one_builder(kept), ThreadPoolExecutor(1) as beside:  # what is kept waits for nobody
        beside.submit(OpenVinoEngine, tmp_path / "engine" / "model.xml", 1, 1).result(timeout=60)


def test_building_int8_reports_to_nobody(tiny_bundle: Bundle) -> None:
    build_int8(tiny_bundle)  # sets the switch before NNCF is imported
    wrapper = importlib.import_module("nncf.telemetry.wrapper")
    assert isinstance(wrapper.telemetry, wrapper.NNCFTelemetryStub)


def test_rows_come_back_in_their_order(engine: Engine, rows: list[list[int]]) -> None:
    order = np.random.default_rng(1).permutation(len(rows))
    for head, shuffled in zip(engine.logits(rows), engine.logits([rows[i] for i in order]), strict=True):
        np.testing.assert_allclose(head[order], shuffled, atol=1e-5)


def test_folding_the_adapter_in_keeps_the_answers(tiny_bundle: Bundle, rows: list[list[int]]) -> None:
    classifier = load_classifier(tiny_bundle)
    folded = merged(copy.deepcopy(classifier))
    assert not any("lora" in name for name in folded.state_dict())
    for one, two in zip(TorchEngine(classifier, 1).logits(rows), TorchEngine(folded, 1).logits(rows), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_adapter_is_in_the_graph(tiny_bundle: Bundle, rows: list[list[int]]) -> None:
    classifier = load_classifier(tiny_bundle)
    with torch.no_grad():
        for name, weight in classifier.named_parameters():
            if "lora_B" in name:
                weight.zero_()
    without = TorchEngine(classifier, 1).logits(rows)[0]
    assert np.abs(OnnxEngine(build_onnx(tiny_bundle), 1, 1).logits(rows)[0] - without).max() > 1e-3


def test_the_graph_is_built_once_and_kept_under_its_key(tiny_bundle: Bundle, trained_bundle: Bundle) -> None:
    path = build_onnx(tiny_bundle)
    built = path.stat().st_mtime_ns
    assert engine_key(tiny_bundle)[:16] in path.name
    assert build_onnx(tiny_bundle) == path
    assert path.stat().st_mtime_ns == built
    assert onnx_path(trained_bundle) == path  # which has no escalation head
    assert {left.suffix for left in path.parent.iterdir() if left.is_file()} <= {".onnx", ".crc32", ".lock", ""}


def test_an_export_replaces_the_file_whole(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("graph") / "deep" / "a.onnx"
    assert export_onnx(load_classifier(tiny_bundle), path) == path
    assert [left.name for left in path.parent.iterdir()] == ["a.onnx"]
    assert OnnxEngine(path, 1, 1).logits([[0, 2]])[0].shape == (1, len(tiny_bundle.manifest.categories))


def test_an_unknown_engine_is_refused(tiny_bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match=r"abacus.*int8, bf16, onnx, torch"):
        load_text_model(tiny_bundle, "abacus")


@pytest.mark.parametrize("engine", ["int8", "onnx"])
def test_a_damaged_graph_in_the_cache_is_built_anew(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    wanted = load_text_model(tiny_bundle, engine, threads=1).predict(TEXTS[:3]).category
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    for path in (onnx_path(tiny_bundle), int8_folder(tiny_bundle) / "model.xml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half a gra")
    np.testing.assert_allclose(load_text_model(tiny_bundle, engine, threads=1).predict(TEXTS[:3]).category, wanted)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def _alter(path: Path) -> None:
    blob = bytearray(path.read_bytes())
    middle = len(blob) // 2
    blob[middle : middle + 4_096] = bytes(255 - byte for byte in blob[middle : middle + 4_096])
    path.chmod(0o644)
    path.write_bytes(blob)


@pytest.mark.parametrize("damage", [_cut, _alter])
@pytest.mark.parametrize(("engine", "vnni"), [("int8", True), ("int8", False), ("bf16", True), ("onnx", True)])
def test_an_engine_that_the_disk_has_changed_answers_as_before(
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    engine: str,
    vnni: bool,
    damage: Callable[[Path], None],
) -> None:
    """Weights that were altered made answers that nobody doubted; the compiled form has them, too."""
    monkeypatch.setattr(engine_build, "has_vnni", lambda: vnni)
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    wanted = load_text_model(tiny_bundle, engine, threads=1).predict(TEXTS[:3]).category
    again = load_text_model(tiny_bundle, engine, threads=1).predict(TEXTS[:3]).category
    np.testing.assert_array_equal(again, wanted)
    assert not caplog.messages
    files = [path for path in tmp_path.rglob("*") if path.suffix in (".onnx", ".bin", ".blob")]
    for path in files:
        damage(path)
    np.testing.assert_array_equal(load_text_model(tiny_bundle, engine, threads=1).predict(TEXTS[:3]).category, wanted)
    assert [path for path in files if any(f"{path} is damaged" in told for told in caplog.messages)]


@pytest.mark.parametrize("engine", ["bf16", "onnx"])
def test_a_damaged_fp32_graph_costs_no_int8_graph(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    for path in (onnx_path(tiny_bundle), int8_folder(tiny_bundle) / "model.xml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half a gra")
    load_text_model(tiny_bundle, engine, threads=1)
    assert (int8_folder(tiny_bundle) / "model.xml").read_bytes() == b"half a gra"
    assert onnx_path(tiny_bundle).stat().st_size > 100_000


def test_a_cache_that_cannot_be_used_is_told_with_its_remedy(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"file: .*: set YUJING_CACHE"):
        load_text_model(tiny_bundle, "onnx", threads=1)

"""The int8 graph of CPUs without VNNI: exact integers, answers that no neighbour changes, near the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from models import engine_build
from models.bundle import Bundle
from models.engine import OnnxEngine
from models.engine_build import build_int8_rows, int8_rows_path, load_text_model, onnx_path
from models.engine_key import engine_key
from models.openvino_engine import OpenVinoEngine
from models.quantise_rows import HIGHEST, PAIR, ZERO, quantise_rows, quantised

TEXTS = ["吃了三天拉肚子，客服推诿，已经打12315", "物流很快，好评", "退", "很" * 400, ""]


@pytest.fixture
def without_vnni(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_build, "has_vnni", lambda: False)


def product_graph(path: Path, weights: np.ndarray) -> Path:
    """A graph of one product: x [rows, inputs] with these weights."""
    given, found = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None]) for name in "xy")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "product", [given], [found], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    return path


def run(path: Path, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": rows})[0])


@given(arrays(np.float32, (7, 5), elements=st.floats(-8, 8, width=32)))
def test_no_pair_of_weights_can_overflow_and_each_is_within_half_a_step(weights: np.ndarray) -> None:
    whole, scale = quantised(weights)
    wide = np.concatenate([whole.astype(int), np.zeros((1, 5), int)]).reshape(-1, 2, 5)
    assert np.maximum(wide, 0).sum(1).max() <= PAIR
    assert np.maximum(-wide, 0).sum(1).max() <= PAIR
    assert np.iinfo(np.int16).max >= (ZERO + HIGHEST) * PAIR
    assert (np.abs(whole * scale - weights) <= scale * 0.5001).all()


def test_the_largest_activations_and_weights_are_added_up_exactly(tmp_path: Path) -> None:
    weights = np.full((384, 24), 0.25, np.float32)
    weights[:, ::2] *= -1
    path = quantise_rows(product_graph(tmp_path / "a.onnx", weights), tmp_path / "b.onnx")
    rows = np.full((9, 384), 3.0, np.float32)  # all of them the highest byte, with neighbours of one sign
    np.testing.assert_allclose(run(path, rows), rows @ weights, rtol=0.01)


def test_a_product_is_near_the_exact_one_whatever_the_size_of_the_row(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(64, 16)).astype(np.float32)
    path = quantise_rows(product_graph(tmp_path / "a.onnx", weights), tmp_path / "b.onnx")
    for size in (1e-6, 1.0, 1e6):
        rows = (random.normal(size=(5, 64)) * size).astype(np.float32)
        wanted = rows @ weights
        assert np.abs(run(path, rows) - wanted).max() < 0.03 * np.abs(wanted).max()
    assert not run(path, np.zeros((2, 64), np.float32)).any()


@pytest.mark.usefixtures("without_vnni")
def test_a_cpu_without_vnni_gets_this_graph(tiny_bundle: Bundle) -> None:
    model = load_text_model(tiny_bundle, "int8", threads=1)
    assert isinstance(model.engine, OnnxEngine)
    assert int8_rows_path(tiny_bundle).is_file()
    reference = load_text_model(tiny_bundle, "torch", threads=1).predict(TEXTS)
    found = model.predict(TEXTS)
    assert np.abs(found.category - reference.category).max() < 0.05
    assert (found.chosen == reference.chosen).mean() > 0.9


def test_a_cpu_with_vnni_gets_openvino(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_build, "has_vnni", lambda: True)
    assert isinstance(load_text_model(tiny_bundle, "int8", threads=1).engine, OpenVinoEngine)


def test_no_answer_depends_on_its_neighbours(tiny_bundle: Bundle) -> None:
    random = np.random.default_rng(0)
    rows = [
        [0, *random.integers(4, 1000, length - 2).tolist(), 2] for length in (2, 256, 3, 17, 100, 5, 64, 2, 255, 30)
    ]
    engine = OnnxEngine(build_int8_rows(tiny_bundle), 1, 1)
    many = engine.logits([*rows, *rows[::-1], rows[3]])
    for place, row in enumerate(rows):
        for head, alone in zip(many, engine.logits([row]), strict=True):
            np.testing.assert_array_equal(head[place], alone[0])


def test_the_graph_is_built_once(tiny_bundle: Bundle) -> None:
    path = build_int8_rows(tiny_bundle)
    built = path.stat().st_mtime_ns
    assert build_int8_rows(tiny_bundle).stat().st_mtime_ns == built
    assert path.match(f"{engine_key(tiny_bundle)[:16]}-*.onnx")


@pytest.mark.usefixtures("without_vnni")
def test_a_damaged_graph_is_built_anew(tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = load_text_model(tiny_bundle, "int8", threads=1).predict(TEXTS[:2]).category
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    for path in (onnx_path(tiny_bundle), int8_rows_path(tiny_bundle)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half a gra")
    np.testing.assert_array_equal(load_text_model(tiny_bundle, "int8", threads=1).predict(TEXTS[:2]).category, wanted)

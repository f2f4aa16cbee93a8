"""Robustness: what the model cannot see costs nothing, drops are against the clean rows, the JSON holds them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from data.samples import FOLDER, sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import Bundle
from models.engine_build import load_text_model
from models.text import TextModel
from training.evaluate import evaluate
from training.evaluate_config import EvaluateConfig
from training.metrics import macro_f1, qwk
from training.robustness import COPIES, robustness, robustness_table
from training.text import labels

TAXONOMY = load_taxonomy()
ROWS = sample_examples()[:60]


@pytest.fixture(scope="module")
def model(tiny_bundle: Bundle) -> TextModel:
    return load_text_model(tiny_bundle, "onnx")


def test_each_perturbation_has_its_drop_with_an_interval(model: TextModel) -> None:
    found = robustness(model, ROWS, TAXONOMY, seed=0, draws=20)
    clean = model.predict([row.text for row in ROWS])
    category, rank = labels(ROWS, TAXONOMY)
    assert list(found) == list(COPIES)
    for row in found.values():
        assert row["drop_macro_f1"][0] == pytest.approx(macro_f1(category, clean.chosen) - row["macro_f1"], abs=2e-4)
        assert row["drop_qwk"][0] == pytest.approx(qwk(rank, clean.rank) - row["qwk"], abs=2e-4)
        assert row["drop_macro_f1"][1] <= row["drop_macro_f1"][2]
        assert 0 <= row["changed"] <= 1
    assert found["full_width"]["drop_macro_f1"] == found["full_width"]["drop_qwk"] == [0, 0, 0]  # NFKC undoes it
    assert found["long_copy"]["changed"] > 0.8
    assert found == robustness(model, ROWS, TAXONOMY, seed=0, draws=20)
    assert robustness_table("", found).row_count == len(found)


@pytest.mark.parametrize("asked", [True, False])
def test_evaluate_writes_it_when_asked(tiny_bundle: Bundle, tmp_path: Path, asked: bool) -> None:
    config = EvaluateConfig(
        bundle=str(tiny_bundle.folder),
        posts=(str(FOLDER / "posts.jsonl"),),
        series=(),
        draws=10,
        robustness=asked,
        out=str(tmp_path / "out.json"),
    )
    evaluate(config, Console(file=io.StringIO()))
    text = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["text"]
    assert ("robustness" in text) is asked
    if asked:
        assert set(text["robustness"]) == set(COPIES)

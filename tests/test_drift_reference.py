"""Reference statistics: in the bundle, whose id they leave, or in a file; what cannot be compared with is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from observed import REFERENCE

from data.errors import ConfigError
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import Bundle
from serving.drift.reference import load_reference, read_reference
from serving.drift.settings import DriftSettings, find_reference

USUAL = json.loads(REFERENCE.dumps())


def test_the_reference_lies_in_the_bundle_and_leaves_its_id(referenced: Bundle, tiny_bundle: Bundle) -> None:
    assert referenced.model_id == tiny_bundle.model_id
    found = find_reference(DriftSettings(), referenced)
    assert found is not None
    assert (found.model, found.posts) == (tiny_bundle.model_id, 3 * len(sample_examples()))
    assert find_reference(DriftSettings(), tiny_bundle) is None


def test_a_reference_in_a_file_wins_and_must_be_of_the_same_model(referenced: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    path.write_text(REFERENCE.dumps(), encoding="utf-8")
    assert load_reference(path) == REFERENCE
    with pytest.raises(ConfigError, match=r"^YUJING_DRIFT_REFERENCE: .*made for yujing-risk:test"):
        find_reference(DriftSettings(reference=path), referenced)
    path.write_text(replace(REFERENCE, model=referenced.model_id).dumps(), encoding="utf-8")
    found = find_reference(DriftSettings(reference=path), referenced)
    assert found is not None
    assert found.posts == 3_000


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_what_is_no_reference_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"reference\.json"):
        load_reference(path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "format: "),
        ({"means": {}}, "lacks "),
        ({"means": {**USUAL["means"], "confidence": {"mean": float("nan"), "sd": 0.1}}}, "means.confidence.mean: "),
        ({"category": {"none": 2_999}}, "category: the counts must sum to its 3000 posts"),
        ({"histograms": {**USUAL["histograms"], "length": {"edges": [9.0], "counts": [0, 0]}}}, "length: the counts"),
        (
            {"histograms": {**USUAL["histograms"], "length": {"edges": [9.0, 8.0], "counts": [0, 0, 3_000]}}},
            "histograms.length: .*edges must rise",
        ),
        (
            {"histograms": {**USUAL["histograms"], "length": {"edges": [float("nan")], "counts": [0, 3_000]}}},
            "histograms.length.edges",
        ),
    ],
)
def test_a_reference_that_could_not_be_compared_with_is_refused(changes: dict[str, object], told: str) -> None:
    assert read_reference(USUAL, "usual.json") == REFERENCE
    with pytest.raises(ConfigError, match=rf"usual\.json: no reference statistics: .*{told}"):
        read_reference({**USUAL, **changes}, "usual.json")


def test_training_a_part_again_forgets_the_reference(referenced: Bundle, tmp_path: Path) -> None:
    from models.bundle import save_part

    folder = tmp_path / "bundle"
    shutil.copytree(referenced.folder, folder)
    assert save_part(folder, load_taxonomy(), {"escalation-x.skops": b"x"}).manifest.reference == {}

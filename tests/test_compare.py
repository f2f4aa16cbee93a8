"""Comparison of two bundles: paired, on rows that taught neither; a bundle against itself differs in nothing."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from data.errors import BundleError, CorpusError
from data.samples import FOLDER
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, open_bundle, save_part
from training.compare import NAMES, CompareConfig, compare, differences, shared_rows, verdict
from training.corpus import read_corpus
from training.text_config import TextConfig
from training.text_report import Answers, Truth

TAXONOMY = load_taxonomy()
QUIET = Console(file=io.StringIO())
N, CLASSES = 200, len(TAXONOMY.ids)


@pytest.fixture
def config(tiny_config: TextConfig, tmp_path: Path) -> CompareConfig:
    out = str(tmp_path / "out.json")
    return CompareConfig(posts=tiny_config.posts, engine="torch", draws=10, out=out)


def other_seed(bundle: Bundle, tiny_config: TextConfig, folder: Path, seed: int) -> Bundle:
    """The same weights with the manifest of a run that was split by another seed."""
    shutil.copytree(bundle.folder, folder)
    part = bundle.manifest.text
    assert part is not None
    corpus = read_corpus(replace(tiny_config, seed=seed), TAXONOMY, QUIET)
    changed = replace(part, config={**part.config, "seed": seed}, data=corpus.about)
    return save_part(folder, TAXONOMY, {}, text=changed)


def test_a_bundle_differs_in_nothing_from_itself(tiny_bundle: Bundle, config: CompareConfig) -> None:
    found = compare(str(tiny_bundle.folder), str(tiny_bundle.folder), config, QUIET)
    assert found["first"] == found["second"] == tiny_bundle.model_id
    assert tiny_bundle.manifest.text is not None
    assert found["rows"] == tiny_bundle.manifest.text.data["rows"]["test"]
    for row in found["figures"].values():
        assert row["difference"] == [0, 0, 0]
        assert row["first"] == row["second"]
    assert json.loads(Path(config.out or "").read_text(encoding="utf-8"))["figures"] == found["figures"]


def test_only_posts_that_taught_neither_are_used(
    tiny_bundle: Bundle, tiny_config: TextConfig, config: CompareConfig, tmp_path: Path
) -> None:
    other = other_seed(tiny_bundle, tiny_config, tmp_path / "other", seed=8)
    taught = set()
    for seed in (tiny_config.seed, 8):
        corpus = read_corpus(replace(tiny_config, seed=seed), TAXONOMY, QUIET)
        taught |= {row.id for part in ("train", "validation") for row in corpus.part(part)}
    with pytest.raises(CorpusError, match="posts taught neither bundle"):  # 15 % of 15 % of 242 posts
        shared_rows((tiny_bundle, other), config, TAXONOMY, QUIET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.compare.MIN_SHARED", 1)
        rows, groups = shared_rows((tiny_bundle, other), config, TAXONOMY, QUIET)
    assert rows
    assert not {row.id for row in rows} & taught
    assert len(groups) == len(rows)


def test_posts_that_taught_no_one_are_all_used(tiny_bundle: Bundle, config: CompareConfig) -> None:
    samples = replace(config, posts=(str(FOLDER / "posts.jsonl"),))
    rows, _ = shared_rows((tiny_bundle, tiny_bundle), samples, TAXONOMY, QUIET)
    assert len(rows) > 150


def test_a_bundle_is_found_by_its_run_too(tiny_bundle: Bundle, config: CompareConfig, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.folder, tmp_path / "run" / "bundle")
    assert compare(str(tmp_path / "run"), str(tiny_bundle.folder), config, QUIET)["rows"] > 0


def test_a_bundle_without_text_model_is_refused(tiny_bundle: Bundle, config: CompareConfig, tmp_path: Path) -> None:
    part = open_bundle(tiny_bundle.folder).manifest.escalation
    name = "escalation-counts.skops"
    save_part(tmp_path / "counts", TAXONOMY, {name: tiny_bundle.read(name)}, escalation=dict(part))
    with pytest.raises(BundleError, match="holds no text model"):
        compare(str(tmp_path / "counts"), str(tiny_bundle.folder), config, QUIET)


def _answers(category: np.ndarray, rank: np.ndarray) -> Answers:
    probabilities = np.full((N, CLASSES), 0.1 / (CLASSES - 1))
    probabilities[np.arange(N), category] = 0.9
    return Answers(probabilities, category, rank)


def test_the_better_one_is_told_and_swapping_turns_the_sign() -> None:
    random = np.random.default_rng(0)
    category, rank = random.integers(0, CLASSES, N), random.integers(0, 5, N)
    truth = Truth(category, np.full(N, -1), rank, np.arange(N), np.full(N, ""))
    good = _answers(category, rank)
    bad = _answers(np.where(np.arange(N) % 2, category, (category + 1) % CLASSES), np.zeros(N, int))
    found, swapped = differences(truth, bad, good, 50), differences(truth, good, bad, 50)
    assert list(found) == list(NAMES)
    assert found["accuracy"]["difference"][0] == pytest.approx(0.5)
    for name, row in found.items():
        assert row["difference"][0] == pytest.approx(row["second"][0] - row["first"][0], abs=2e-4)
        lower = name == "log_loss"
        assert verdict(row["difference"], lower) == "second is better"
        assert verdict(swapped[name]["difference"], lower) == "first is better"
        value, low, high = row["difference"]
        assert swapped[name]["difference"] == pytest.approx([-value, -high, -low], abs=2e-4)
    assert verdict([0.1, -0.1, 0.3]) == "not told apart"

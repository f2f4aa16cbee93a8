"""Rows that the bundle which a run begins with answers already: which they are, and what is left of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from data.records import Example
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import Bundle
from training.corpus import Corpus, read_corpus
from training.familiar import SURE, familiar, without_familiar
from training.soft import soft_labels
from training.text import train_text
from training.text_config import TextConfig

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
EXAMPLES = sample_examples()


@pytest.fixture
def config(tiny_config: TextConfig, trained_bundle: Bundle, tmp_path: Path) -> TextConfig:
    """A run that begins with the tiny model and is taught the samples by the answers of that model, too."""
    return replace(tiny_config, start=str(trained_bundle.folder), familiar_share=0.5, out=str(tmp_path / "run"))


def corpus_with(rows: Sequence[Example], config: TextConfig) -> Corpus:
    return replace(read_corpus(config, TAXONOMY, QUIET), extra=tuple(rows))


def test_a_row_is_familiar_where_its_own_labels_are_likely_together() -> None:
    rows = [
        Example(id="sure", text="a", category="none", severity=0),
        Example(id="other-category", text="a", category=TAXONOMY.ids[1], severity=0),
        Example(id="other-rank", text="a", category="none", severity=1),
        Example(id="no-rank", text="a", category="none"),
    ]
    category, severity = np.full((4, len(TAXONOMY.ids)), 0.0), np.full((4, len(TAXONOMY.severities)), 0.0)
    category[:, 0], severity[:, 0] = SURE, 1.0
    assert familiar(rows, category, severity, TAXONOMY).tolist() == [True, False, False, False]
    assert not familiar(rows, category, severity * 0.99, TAXONOMY).any()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_the_familiar_rows_stays_and_all_others(
    config: TextConfig, trained_bundle: Bundle, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.familiar.SURE", 0.05)  # the tiny model is sure of nothing
    corpus = corpus_with(EXAMPLES, config)
    texts = [row.text for row in EXAMPLES]
    known = familiar(EXAMPLES, *soft_labels(trained_bundle, texts, tmp_path / "soft.npz", 1), TAXONOMY)
    assert 8 <= known.sum() < len(EXAMPLES)
    kept = without_familiar(corpus, trained_bundle, replace(config, familiar_share=share), TAXONOMY, QUIET)
    ids = {row.id for row in kept.extra}
    assert {row.id for row, is_known in zip(EXAMPLES, known, strict=True) if not is_known} <= ids
    assert len(kept.extra) == len(EXAMPLES) - known.sum() + round(share * known.sum())
    assert kept.examples == corpus.examples
    assert kept.split == corpus.split


def test_the_same_seed_keeps_the_same_rows(
    config: TextConfig, trained_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.familiar.SURE", 0.05)
    corpus = corpus_with(EXAMPLES, config)
    first, second, other = (
        without_familiar(corpus, trained_bundle, replace(config, seed=seed), TAXONOMY, QUIET).extra
        for seed in (config.seed, config.seed, config.seed + 1)
    )
    assert first == second != other


def test_a_run_tells_how_many_rows_it_left_out(
    config: TextConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.familiar.SURE", 0.0)  # all labelled rows are familiar
    extra = tmp_path / "extra.jsonl"
    extra.write_text(
        "".join(
            json.dumps(
                {"id": f"x{n}", "text": f"第{n}单快递丢了，客服不理", "category": "logistics_fulfilment", "severity": 1}
            )
            + "\n"
            for n in range(20)
        ),
        encoding="utf-8",
    )
    bundle = train_text(replace(config, extra=(str(extra),)), QUIET)
    assert bundle.manifest.text is not None
    data = bundle.manifest.text.data
    assert data["familiar_left_out"] == round(data["rows"]["extra"] / 2) > 0


def test_without_a_start_nothing_can_be_familiar(config: TextConfig) -> None:
    with pytest.raises(ValueError, match="familiar_share"):
        replace(config, start=None)

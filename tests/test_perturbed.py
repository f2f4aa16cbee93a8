"""Perturbed training rows: the share that was asked for, fresh in each epoch, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from data.errors import ConfigError
from data.perturb import PERTURBATIONS, perturb
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.encoder import load_encoder
from models.lexical import plain
from models.tokens import Tokens
from training.checkpoints import last_checkpoint
from training.config import load_config
from training.perturbed import WEIGHTS, Perturbing, perturbed_copies
from training.text_config import TextConfig
from training.text_data import Posts
from training.text_fit import build_classifier, fit

TAXONOMY = load_taxonomy()
ROWS = sample_examples()[:40]
TEXTS = [row.text for row in ROWS]


@pytest.fixture
def tokens(tiny_encoder: str) -> Tokens:
    return Tokens(load_encoder(tiny_encoder).tokenizer.backend_tokenizer)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_of_rows_is_copied(share: float) -> None:
    copies = perturbed_copies(TEXTS, share, seed=1, epoch=0)
    assert len(copies) == share * len(TEXTS)
    assert all(copies.values())


def test_the_seed_and_the_epoch_decide() -> None:
    first = perturbed_copies(TEXTS, 0.5, seed=1, epoch=0)
    assert first == perturbed_copies(TEXTS, 0.5, seed=1, epoch=0)
    assert first != perturbed_copies(TEXTS, 0.5, seed=1, epoch=1)
    assert first != perturbed_copies(TEXTS, 0.5, seed=2, epoch=0)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_what_the_model_hardly_sees_is_not_taught(name: str) -> None:
    seen = sum(plain(perturb(text, name, seed=1)) != plain(text) for text in TEXTS) / len(TEXTS)
    assert seen > 0.1 if WEIGHTS[name] else seen < 0.2  # most pinyin initials are read as the words that they stand for


def test_the_rows_that_are_not_copied_are_clean_again(tokens: Tokens) -> None:
    clean = tokens.encode(TEXTS)
    posts = Posts(list(clean), ROWS, TAXONOMY, 0.15)
    perturbing = Perturbing(posts, TEXTS, tokens, 0.5, seed=1)
    for epoch in (0.0, 1.0):
        perturbing.on_epoch_begin(None, SimpleNamespace(epoch=epoch), None)  # type: ignore[arg-type]
        copies = perturbed_copies(TEXTS, 0.5, 1, int(epoch))
        for row, ids in enumerate(posts.ids):
            assert ids == (tokens.encode([copies[row]])[0] if row in copies else clean[row])
    assert posts[0]["length"] == len(posts.ids[0])


def _fitted(config: TextConfig, tokens: Tokens) -> dict[str, Any]:
    classifier = build_classifier(load_encoder(config.encoder), config, TAXONOMY)
    return fit(classifier, tokens, (ROWS, ROWS[:8]), config, TAXONOMY).state_dict()


def test_it_trains_the_same_twice_and_unlike_clean_rows(tiny_encoder: str, tokens: Tokens, tmp_path: Path) -> None:
    plain = TextConfig(encoder=tiny_encoder, rank=2, epochs=2, batch_size=8, bf16=False, threads=1)
    half = replace(plain, perturbed_share=0.5)
    configs = [replace(one, out=str(tmp_path / name)) for name, one in (("a", half), ("b", half), ("c", plain))]
    one, two, clean = (_fitted(config, tokens)["category.weight"] for config in configs)
    assert torch.equal(one, two)
    assert not torch.equal(one, clean)


def test_an_interrupted_run_that_did_not_know_the_setting_goes_on(tmp_path: Path) -> None:
    config = TextConfig(out=str(tmp_path))
    assert last_checkpoint(config, {}) is None
    note = tmp_path / "checkpoints" / "settings.json"
    note.write_text(note.read_text(encoding="utf-8").replace('\n "perturbed_share": 0.0,', ""), encoding="utf-8")
    assert "perturbed_share" not in note.read_text(encoding="utf-8")
    assert last_checkpoint(config, {}) is None
    with pytest.raises(ConfigError, match="other settings"):
        last_checkpoint(replace(config, perturbed_share=0.1), {})


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(ConfigError, match="perturbed_share"):
        load_config(TextConfig, flags={"perturbed_share": share})

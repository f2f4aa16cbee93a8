"""A run that begins with an earlier bundle: it goes on from there, and never from one that saw what is held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load

from data.errors import CorpusError
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.adapter import average_adapter, trained_weights
from models.bundle import ADAPTER, Bundle, text_part
from models.encoder import load_encoder
from models.engine_build import load_text_model
from training.earlier import earlier_bundle
from training.text import train_text
from training.text_config import TextConfig
from training.text_fit import build_classifier

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
TEXTS = [row.text for row in sample_examples()[:20]]


def test_a_run_that_learns_nothing_ends_where_it_began(
    tiny_config: TextConfig, trained_bundle: Bundle, tmp_path: Path
) -> None:
    start = str(trained_bundle.folder)
    config = replace(tiny_config, start=start, epochs=1, learning_rate=1e-12, out=str(tmp_path))
    bundle = train_text(config, QUIET)
    assert text_part(bundle).data["start"] == trained_bundle.model_id
    one, other = (load_text_model(found, "torch", threads=1) for found in (trained_bundle, bundle))
    for first, second in zip(*(m.engine.logits(m.tokens.encode(TEXTS)) for m in (one, other)), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-3)
    assert "began with the adapter of `" + trained_bundle.model_id in (bundle.folder / "MODEL_CARD.md").read_text()


def test_the_average_lies_between_both(tiny_config: TextConfig, trained_bundle: Bundle) -> None:
    encoder = load_encoder(tiny_config.encoder)
    fresh = build_classifier(encoder, tiny_config, TAXONOMY)
    before = {name: weight.clone() for name, weight in trained_weights(fresh).items()}
    blob = trained_bundle.read(ADAPTER)
    after = trained_weights(average_adapter(fresh, blob, 0.25))
    for name, other in load(blob).items():
        torch.testing.assert_close(after[name], 0.25 * other.float() + 0.75 * before[name])
    assert any(not torch.equal(after[name], before[name]) for name in after)


@pytest.mark.parametrize("other", [{"seed": 8}, {"test": 0.2}, {"held_out_source": "sample"}])
def test_a_bundle_of_another_protocol_is_refused(
    tiny_config: TextConfig, trained_bundle: Bundle, other: dict[str, object]
) -> None:
    folder = str(trained_bundle.folder)
    assert earlier_bundle(folder, tiny_config, TAXONOMY).model_id == trained_bundle.model_id
    with pytest.raises(CorpusError, match=f"{next(iter(other))}=.*what is held out now"):
        earlier_bundle(folder, replace(tiny_config, **other), TAXONOMY)  # type: ignore[arg-type]

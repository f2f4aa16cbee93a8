"""Tiny real things that tests share: a 2-layer BERT with a character vocabulary, a bundle trained in seconds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The team's corpora, where they are at hand."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the corpora (../shared/data) are not at hand")
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a real BertModel: 2 layers, hidden 32, one token per character of the sample posts."""
    import torch
    from transformers import BertConfig, BertModel

    from data.samples import sample_examples
    from models.vocabulary import SPACE, SPECIALS, build_tokenizer

    characters = sorted({char for example in sample_examples() for char in example.text} - {" "})
    pieces = [*SPECIALS, SPACE, *characters, "<mask>"]
    import numpy as np

    tokenizer = build_tokenizer(pieces, np.full(len(pieces), -5.0, np.float32))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        pad_token_id=1,
    )
    folder = tmp_path_factory.mktemp("encoder")
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)

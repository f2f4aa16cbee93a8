"""Tiny real things that tests share: a 2-layer BERT with a character vocabulary, a bundle trained in seconds."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from models.bundle import Bundle
    from models.scorer import Scorer
    from training.text_config import TextConfig

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

settings.register_profile("any machine", deadline=None)  # a busy one takes ten times as long
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The team's corpora, where they are at hand."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the corpora (../shared/data) are not at hand")
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a real BertModel: 2 layers of width 128, one token per character of the sample posts."""
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
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        pad_token_id=1,
    )
    folder = tmp_path_factory.mktemp("encoder")
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tests' own cache and model store, apart from the user's."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUJING_CACHE", str(folder / "cache"))
        patch.setenv("BENTOML_HOME", str(folder / "bentoml"))
        patch.setattr("models.old_engines.KEPT", 99)  # no test builds what another one has built
        yield folder


@pytest.fixture(scope="session")
def tiny_posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpus of 242 posts: the samples, and half of them again with other words around."""
    from data.samples import sample_examples

    posts = sample_examples()
    again = [replace(row, id=f"{row.id}b", text=f"转发：{row.text[: len(row.text) // 2]}") for row in posts[::2]]
    path = tmp_path_factory.mktemp("posts") / "posts.jsonl"
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in [*posts, *again])
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_config(tiny_encoder: str, tiny_posts: Path, tmp_path_factory: pytest.TempPathFactory) -> TextConfig:
    """One epoch on the tiny encoder, where one second is enough."""
    from training.text_config import TextConfig

    return TextConfig(
        posts=(str(tiny_posts),),
        extra=(),
        annotated=(),
        encoder=tiny_encoder,
        rank=4,
        epochs=1,
        batch_size=16,
        bf16=False,
        threads=1,
        out=str(tmp_path_factory.mktemp("run")),
    )


@pytest.fixture(scope="session")
def trained_bundle(tiny_config: TextConfig, own_folders: Path) -> Bundle:
    """What `train_text` makes of the tiny corpus: a bundle with a text model only."""
    from rich.console import Console

    from training.text import train_text

    return train_text(tiny_config, Console(quiet=True))


@pytest.fixture(scope="session")
def tiny_bundle(trained_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The trained text model with a `counts` head that has seen the twelve sample series; copy it to change it."""
    import numpy as np

    from data.samples import sample_series
    from data.taxonomy import load_taxonomy
    from models.bundle import escalation_file, save_part
    from models.escalation_store import dump
    from models.manifest import EscalationPart
    from training.decisions import decide_on, topics_of
    from training.escalation_blocks import Blocks
    from training.escalation_config import EscalationConfig
    from training.escalation_fit import fit_model, tabulate

    topics = topics_of(sample_series())
    decisions = decide_on(topics)
    all_rows = np.ones(len(decisions.topic), bool)
    where = Blocks(fit=all_rows, calibration=all_rows, test=~all_rows)
    model = fit_model(tabulate(topics, decisions, where), where, EscalationConfig(iterations=5, leaf_rows=5))
    folder = tmp_path_factory.mktemp("tiny") / "bundle"
    shutil.copytree(trained_bundle.folder, folder)
    files = {escalation_file("counts"): dump(model)}
    return save_part(folder, load_taxonomy(), files, escalation={"counts": EscalationPart()})


@pytest.fixture(scope="session")
def tiny_scorer(tiny_bundle: Bundle) -> Scorer:
    """The one inference path on the tiny bundle."""
    from models.scorer import Scorer

    return Scorer.load(tiny_bundle.folder, threads=1)


@pytest.fixture(scope="session")
def referenced(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny bundle with reference statistics in its manifest."""
    from data.samples import FOLDER
    from models.bundle import open_bundle
    from serving.drift.make import score_reference, store_reference
    from serving.drift.unseen import read_posts

    folder = tmp_path_factory.mktemp("referenced") / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    bundle = open_bundle(folder)
    texts = [row.text for row in read_posts(FOLDER / "posts.jsonl", bundle.taxonomy)] * 3
    assert store_reference(score_reference(bundle, texts), bundle, None) == folder / "manifest.json"
    return open_bundle(folder)

"""Pooled tokens: means that padding cannot reach, attention that counts what they stand for, every engine."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from altered import edit

from data.errors import BundleError, ConfigError
from data.taxonomy import load_taxonomy
from models import engine_build
from models.adapter import load_classifier
from models.bundle import Bundle, open_bundle, save_part, text_part
from models.classifier import Adapter, RiskClassifier, adapt
from models.encoder import Encoder, load_encoder
from models.engine_build import ENGINES, build_onnx, load_text_model
from models.pooling import attention_bias, bert_of, encode_pooled, mean_pool, pool_pairs
from training.text_config import TextConfig
from training.text_fit import build_classifier

CATEGORIES, RANKS, HIDDEN = 17, 5, 128
TEXTS = ["吃了三天拉肚子，客服推诿，已经打12315", "物流很快，好评", "退", "很" * 400, "这家店卖的是假货，要投诉", ""]


def build(folder: str, pool_after: int, rank: int = 4) -> RiskClassifier:
    torch.manual_seed(0)
    body = adapt(load_encoder(folder).model, Adapter(rank=rank, alpha=2 * rank))
    return RiskClassifier(body, HIDDEN, CATEGORIES, RANKS, pool_after).eval()


@pytest.fixture
def pooled_bundle(tiny_bundle: Bundle, tmp_path: Path) -> Bundle:
    """The tiny bundle as if it had been trained with pooling after its first layer."""
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    edit(folder, lambda raw: raw["text"].update(pool_after=1))
    return open_bundle(folder)


def test_mean_pooling_by_hand_ignores_padding() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [99.0, -99.0]]])
    assert mean_pool(hidden, torch.tensor([[1, 1, 0]])).tolist() == [[2.0, 4.0]]
    assert mean_pool(hidden, torch.tensor([[0, 0, 0]])).tolist() == [[0.0, 0.0]]


def test_pairs_by_hand() -> None:
    hidden = torch.tensor([[[1.0], [3.0], [5.0], [99.0], [99.0], [99.0]]])
    pooled, counts = pool_pairs(hidden, torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]))
    assert pooled.tolist() == [[[2.0], [5.0], [0.0]]]
    assert counts.tolist() == [[2.0, 1.0, 0.0]]


def test_the_mean_over_pairs_is_the_mean_over_tokens() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(5, 12, 7, generator=generator)
    mask = (torch.arange(12) < torch.tensor([12, 11, 5, 2, 1])[:, None]).float()
    twice = pool_pairs(*pool_pairs(hidden, mask))
    torch.testing.assert_close(mean_pool(*twice), mean_pool(hidden, mask))


def test_attention_counts_a_token_as_often_as_it_stands_for() -> None:
    bias = attention_bias(torch.tensor([[1.0, 2.0, 0.0]]))
    assert bias.shape == (1, 1, 1, 3)
    assert torch.softmax(bias[0, 0, 0], 0).tolist() == pytest.approx([1 / 3, 2 / 3, 0])


def without_places(encoder: Encoder) -> Encoder:
    """Tokens read alike wherever they stand."""
    torch.nn.init.zeros_(encoder.model.embeddings.position_embeddings.weight)
    return encoder


def test_equal_neighbours_are_answered_as_without_pooling(tiny_encoder: str) -> None:
    body = without_places(load_encoder(tiny_encoder)).model
    plain, pooled = (RiskClassifier(body, HIDDEN, CATEGORIES, RANKS, after).eval() for after in (0, 1))
    pooled.load_state_dict(plain.state_dict())
    ids, mask = torch.tensor([[5, 5, 9, 9, 7, 7], [8, 8, 6, 6, 1, 1]]), torch.tensor([[1] * 6, [1] * 4 + [0] * 2])
    with torch.inference_mode():
        for one, two in zip(plain(ids, mask), pooled(ids, mask), strict=True):
            torch.testing.assert_close(one, two, atol=1e-5, rtol=0)


def test_pooling_reads_otherwise_and_in_half_the_tokens(tiny_encoder: str) -> None:
    ids, mask = torch.arange(4, 28).reshape(2, 12), torch.ones(2, 12, dtype=torch.long)
    classifier = build(tiny_encoder, 1)
    with torch.inference_mode():
        hidden, counts = encode_pooled(classifier.encoder, ids, mask, 1)
        assert hidden.shape == (2, 6, HIDDEN)
        assert (counts == 2).all()
        assert not torch.allclose(classifier(ids, mask)[0], build(tiny_encoder, 0)(ids, mask)[0], atol=1e-4)


@pytest.mark.parametrize("rank", [0, 4])
def test_padding_changes_nothing(tiny_encoder: str, rank: int) -> None:
    classifier = build(tiny_encoder, 1, rank)
    ids, mask = torch.arange(4, 14).reshape(1, 10), torch.ones(1, 10, dtype=torch.long)
    mask[0, 9:] = 0
    wide = torch.nn.functional.pad(ids, (0, 30), value=1), torch.nn.functional.pad(mask, (0, 30))
    with torch.inference_mode():
        for short, long in zip(classifier(ids, mask), classifier(*wide), strict=True):
            torch.testing.assert_close(short, long, atol=1e-5, rtol=0)


def test_rows_of_odd_length_are_refused(tiny_encoder: str) -> None:
    ids = torch.arange(4, 7).reshape(1, 3)
    with pytest.raises(ValueError, match="3 tokens: pad rows to an even length"):
        build(tiny_encoder, 1)(ids, torch.ones_like(ids))


def test_the_bert_is_found_with_and_without_an_adapter(tiny_encoder: str) -> None:
    whole, adapted = (build(tiny_encoder, 1, rank).encoder for rank in (0, 4))
    assert bert_of(whole) is whole
    assert bert_of(adapted) is adapted.get_base_model()  # type: ignore[operator]
    with pytest.raises(AssertionError):
        bert_of(torch.nn.Linear(1, 1))


def test_pooling_is_part_of_the_identity(tiny_bundle: Bundle) -> None:
    manifest, part = tiny_bundle.manifest, text_part(tiny_bundle)
    assert part.pool_after == 0
    assert replace(manifest, text=replace(part, pool_after=1)).digest != manifest.digest


@pytest.mark.parametrize("name", sorted(ENGINES))
@pytest.mark.parametrize("vnni", [True, False])
def test_every_engine_pools(
    pooled_bundle: Bundle, tiny_bundle: Bundle, name: str, vnni: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_build, "has_vnni", lambda: vnni)
    assert load_classifier(pooled_bundle).pool_after == 1
    model, reference = load_text_model(pooled_bundle, name, threads=1), load_text_model(pooled_bundle, "torch", 1)
    found, wanted, plain = (one.predict(TEXTS) for one in (model, reference, load_text_model(tiny_bundle, "torch", 1)))
    assert np.abs(found.category - wanted.category).max() < {"int8": 0.05, "bf16": 0.05}.get(name, 1e-3)
    off = np.abs(found.category - plain.category).mean()
    assert np.abs(found.category - wanted.category).mean() < 0.5 * off


@pytest.mark.parametrize("name", ["int8", "bf16", "int8 without VNNI"])
def test_rounding_never_depends_on_the_neighbours(
    pooled_bundle: Bundle, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.endswith("without VNNI"):
        monkeypatch.setattr(engine_build, "has_vnni", lambda: False)
    engine = load_text_model(pooled_bundle, name.split()[0], threads=1).engine
    random = np.random.default_rng(0)
    rows = [[0, *random.integers(4, 100, length).tolist(), 2] for length in (2, 3, 4, 5, 17, 40, 41, 250)]
    many = engine.logits([*rows, *rows[::-1], rows[3]])
    for i, row in enumerate(rows):
        for head, alone in zip(many, engine.logits([row]), strict=True):
            np.testing.assert_array_equal(head[i], alone[0])


def test_the_graph_takes_no_sum_where_int8_would_look_for_the_final_one(pooled_bundle: Bundle) -> None:
    graph = onnx.load(str(build_onnx(pooled_bundle))).graph
    made = {name: node for node in graph.node for name in node.output}
    sums = [node for node in graph.node if node.op_type == "ReduceSum" and made[node.input[0]].op_type == "Mul"]
    assert len(sums) == 1


def test_versions_that_do_not_pool_refuse_a_pooled_bundle_by_its_format(
    pooled_bundle: Bundle, tiny_bundle: Bundle
) -> None:
    plain = text_part(tiny_bundle)
    for text, wanted in ((text_part(pooled_bundle), 2), (plain, 1), (replace(plain, pool_after=1), 2)):
        saved = save_part(pooled_bundle.folder, None, {}, text=text)
        assert (saved.manifest.format, open_bundle(pooled_bundle.folder).manifest) == (wanted, saved.manifest)


def test_a_layer_that_the_encoder_has_not_is_refused(tiny_config: TextConfig, pooled_bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match=r"pool_after=2: .* has 2 layers"):
        build_classifier(load_encoder(tiny_config.encoder), replace(tiny_config, pool_after=2), load_taxonomy())
    edit(pooled_bundle.folder, lambda raw: raw["text"].update(pool_after=2))
    with pytest.raises(BundleError, match=r"pool_after: 2, its encoder has 2 layers"):
        load_classifier(open_bundle(pooled_bundle.folder))

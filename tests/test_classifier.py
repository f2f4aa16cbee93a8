"""The two-head classifier: shapes, pooling that padding cannot reach, and what training may change."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.classifier import Adapter, RiskClassifier, adapt
from models.encoder import load_encoder

CATEGORIES, RANKS, HIDDEN = 17, 5, 128


def build(folder: str, rank: int) -> RiskClassifier:
    torch.manual_seed(0)
    body = adapt(load_encoder(folder).model, Adapter(rank=rank, alpha=2 * rank))
    return RiskClassifier(body, HIDDEN, CATEGORIES, RANKS).eval()


def batch(lengths: tuple[int, ...], width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(4, 200, (len(lengths), width), generator=generator)
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
    return torch.where(mask.bool(), ids, 1), mask


def one_step(classifier: RiskClassifier) -> set[str]:
    """Names of the weights that one training step changes."""
    before = {name: weight.clone() for name, weight in classifier.state_dict().items()}
    trained = [weight for weight in classifier.parameters() if weight.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=1.0)
    category, severity = classifier(*batch((9, 5), 9))
    (category.square().sum() + severity.square().sum()).backward()
    optimiser.step()
    return {name for name, weight in classifier.state_dict().items() if not torch.equal(weight, before[name])}


@pytest.mark.parametrize("rank", [0, 4])
def test_one_row_of_logits_per_post(tiny_encoder: str, rank: int) -> None:
    category, severity = build(tiny_encoder, rank)(*batch((9, 5, 2), 9))
    assert category.shape == (3, CATEGORIES)
    assert severity.shape == (3, RANKS - 2)
    assert category.dtype == severity.dtype == torch.float32


@pytest.mark.parametrize("rank", [0, 4])
def test_more_padding_changes_nothing(tiny_encoder: str, rank: int) -> None:
    classifier = build(tiny_encoder, rank)
    ids, mask = batch((9, 5, 2), 9)
    wide = torch.nn.functional.pad(ids, (0, 30), value=1), torch.nn.functional.pad(mask, (0, 30))
    with torch.inference_mode():
        for short, long in zip(classifier(ids, mask), classifier(*wide), strict=True):
            torch.testing.assert_close(short, long, atol=1e-5, rtol=0)


def test_lora_freezes_the_base_and_trains_adapter_and_heads(tiny_encoder: str) -> None:
    classifier = build(tiny_encoder, 4)
    free = {name for name, weight in classifier.named_parameters() if weight.requires_grad}
    assert all("lora_" in name or name.startswith(("category.", "severity.")) for name in free)
    layers = [name for name in free if "lora_A" in name]
    assert len(layers) == 2 * 6  # query, key, value, attention output, both feed-forward layers, in 2 layers
    assert one_step(classifier) <= free


def test_rank_0_trains_every_weight(tiny_encoder: str) -> None:
    classifier = build(tiny_encoder, 0)
    assert all(weight.requires_grad for weight in classifier.parameters())
    assert "encoder.encoder.layer.0.attention.self.query.weight" in one_step(classifier)


def test_a_fresh_adapter_says_what_the_base_says(tiny_encoder: str) -> None:
    with torch.inference_mode():
        plain, adapted = (build(tiny_encoder, rank).encoder(*batch((9, 5), 9)).last_hidden_state for rank in (0, 4))
    torch.testing.assert_close(plain, adapted)

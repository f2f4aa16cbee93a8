"""The joint loss by hand, and its laws: no label teaches nothing, word dropout spares specials and padding."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from data.records import Example
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.batching import pad
from models.classifier import IGNORED, Adapter, RiskClassifier, adapt
from models.encoder import load_encoder
from models.probabilities import severity_probabilities
from training.text_data import Collator, Posts, category_target, class_weights, rank_of, severity_target
from training.text_loss import Recipe, TeachingModule, category_loss, drop_tokens, severity_loss

TAXONOMY = load_taxonomy()
RANKS = len(TAXONOMY.severities)
PAD, MASK = 1, 99

logits3 = st.lists(st.floats(-6, 6), min_size=RANKS - 2, max_size=RANKS - 2)


def test_category_loss_by_hand() -> None:
    logits = torch.tensor([[log(3), 0.0], [log(3), 0.0]])  # p = 3/4, 1/4
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    even, rare = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 3.0])
    assert float(category_loss(logits, target, even, 0)) == pytest.approx((log(4 / 3) + log(4)) / 2)
    assert float(category_loss(logits, target, rare, 0)) == pytest.approx((log(4 / 3) + 3 * log(4)) / 4)
    smooth = 0.9 * log(4 / 3) + 0.1 * log(4)  # smoothing 0.2 over 2 classes: 0.9 and 0.1
    assert float(category_loss(logits[:1], target[:1], rare, 0.2)) == pytest.approx(smooth)


def test_severity_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, log(3), 50.0], [7.0, 7.0, 7.0]])
    target = torch.tensor([[1.0, 0.0, IGNORED], [IGNORED] * 3])
    assert float(severity_loss(logits, target)) == pytest.approx((log(2) + log(4)) / 2)


@pytest.mark.parametrize(
    ("rank", "target"),
    [
        (None, [IGNORED, IGNORED, IGNORED]),
        (0, [IGNORED, IGNORED, IGNORED]),
        (1, [0.0, IGNORED, IGNORED]),
        (2, [1.0, 0.0, IGNORED]),
        (3, [1.0, 1.0, 0.0]),
        (4, [1.0, 1.0, 1.0]),
    ],
)
def test_severity_targets(rank: int | None, target: list[float]) -> None:
    assert severity_target(rank, RANKS) == target


@pytest.mark.parametrize("rank", range(RANKS))
def test_targets_lead_back_to_their_rank(rank: int) -> None:
    category = "other" if rank else TAXONOMY.none_id
    row = Example(id="a", text="假货", category=category, severity=rank, second="service_conduct")
    posts = Posts([[0, 2]], [row], TAXONOMY, 0.15)
    assert rank_of(np.array(posts.severity), np.array(posts.category)).tolist() == [rank]


@given(logits3, st.integers(1, RANKS - 1))
def test_severity_loss_is_the_likelihood_of_the_served_probabilities(logits: list[float], rank: int) -> None:
    loss = severity_loss(torch.tensor([logits], dtype=torch.float64), torch.tensor([severity_target(rank, RANKS)]))
    served = severity_probabilities(np.zeros(1), np.array([logits]))[0, rank]
    assert float(loss) == pytest.approx(-log(served), abs=1e-5)


def test_category_targets_share_their_mass_with_the_second() -> None:
    row = Example(id="a", text="假货", category="counterfeit_ip", second="false_advertising")
    target = category_target(row, TAXONOMY, 0.15)
    assert target[TAXONOMY.index("counterfeit_ip")] == pytest.approx(0.85)
    assert target[TAXONOMY.index("false_advertising")] == pytest.approx(0.15)
    assert sum(target) == pytest.approx(1)
    same = Example(id="b", text="假货", category="counterfeit_ip", second="counterfeit_ip")
    assert max(category_target(same, TAXONOMY, 0.15)) == 1.0
    assert not any(category_target(Example(id="c", text="假货", second="other"), TAXONOMY, 0.15))


def gradients(category: Tensor, severity: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of the loss of each head with respect to random logits."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(category.shape, generator=generator).requires_grad_()
    second = torch.randn(severity.shape, generator=generator).requires_grad_()
    loss = category_loss(first, category, torch.ones(category.shape[1]), 0.05) + severity_loss(second, severity)
    loss.backward()
    assert torch.isfinite(loss)
    assert first.grad is not None
    assert second.grad is not None
    return first.grad, second.grad


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_a_missing_label_teaches_nothing(known: list[tuple[bool, bool]]) -> None:
    rows = [
        Example(id="a", text="假货", category="other" if has_category else None, severity=3 if has_rank else None)
        for has_category, has_rank in known
    ]
    posts = Posts([[0, 2]] * len(rows), rows, TAXONOMY, 0.15)
    category, severity = gradients(torch.tensor(posts.category), torch.tensor(posts.severity))
    assert category.abs().sum(1).bool().tolist() == [has_category for has_category, _ in known]
    assert severity.abs().sum(1).bool().tolist() == [has_rank for _, has_rank in known]


def test_unlabelled_rows_leave_the_category_loss_as_it_is() -> None:
    logits, target = torch.randn(4, 17, generator=torch.Generator().manual_seed(3)), torch.eye(17)[:4]
    more = torch.cat([logits, 9 * torch.ones(2, 17)]), torch.cat([target, torch.zeros(2, 17)])
    weights = torch.linspace(0.5, 2, 17)
    torch.testing.assert_close(category_loss(logits, target, weights, 0.1), category_loss(*more, weights, 0.1))


@given(st.lists(st.integers(2, 12), min_size=1, max_size=6), st.floats(0, 1), st.integers(0, 99))
def test_word_dropout_spares_specials_and_padding(lengths: list[int], share: float, seed: int) -> None:
    torch.manual_seed(seed)
    rows = [
        {"input_ids": [0, *range(4, 2 + length), 2], "category_target": [], "severity_target": []} for length in lengths
    ]
    batch = Collator(PAD)(rows)
    ids, mask = batch["input_ids"], batch["attention_mask"]
    dropped = drop_tokens(ids, mask, share, MASK)
    changed = dropped != ids
    inner = mask.bool() & (ids != 0) & (ids != 2)
    assert not (changed & ~inner).any()
    assert (dropped[changed] == MASK).all()
    assert torch.equal(drop_tokens(ids, mask, 0.0, MASK), ids)
    assert torch.equal(drop_tokens(ids, mask, 1.0, MASK), torch.where(inner, MASK, ids))


def test_batches_are_padded_and_masked() -> None:
    rows = list(sample_examples()[:2])
    posts = Posts([[0, 5, 6, 2], [0, 2]], rows, TAXONOMY, 0.15)
    batch = Collator(PAD)([posts[0], posts[1]])
    assert batch["input_ids"].tolist() == [[0, 5, 6, 2], [0, 2, PAD, PAD]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["category_target"].shape == (2, len(TAXONOMY.ids))
    assert [row["length"] for row in (posts[0], posts[1])] == [4, 2]


def test_a_post_that_spells_the_padding_token_is_read_as_in_serving() -> None:
    rows = [[0, PAD, 5, 2], [0, 2]]
    posts = Posts(rows, sample_examples()[:2], TAXONOMY, 0.15)
    batch = Collator(PAD)([posts[0], posts[1]])
    ids, mask = pad(rows, PAD)
    assert (batch["input_ids"].numpy() == ids).all()
    assert (batch["attention_mask"].numpy() == mask).all()


@given(st.floats(0, 1))
def test_class_weights_are_one_on_average_and_higher_for_rarer_classes(power: float) -> None:
    rows = sample_examples()
    weights = class_weights(rows, TAXONOMY, power)
    places = torch.tensor([TAXONOMY.index(row.category or "") for row in rows])
    counts = torch.bincount(places, minlength=len(TAXONOMY.ids))
    assert float(weights[places].mean()) == pytest.approx(1, abs=1e-5)
    order = counts.argsort()
    assert (weights[order].diff() <= 1e-6).all()


def test_the_teaching_module_adds_both_losses(tiny_encoder: str) -> None:
    body = adapt(load_encoder(tiny_encoder).model, Adapter(rank=2, alpha=4))
    module = TeachingModule(
        RiskClassifier(body, 128, len(TAXONOMY.ids), RANKS),
        Recipe(torch.ones(len(TAXONOMY.ids)), smoothing=0.05, severity_weight=0.5, token_dropout=0.5, mask_id=MASK),
    ).eval()
    batch = Collator(PAD)([Posts([[0, 7, 8, 2]], sample_examples()[40:41], TAXONOMY, 0.15)[0]])
    found = module(**batch)
    category, severity = found["logits"][:, : len(TAXONOMY.ids)], found["logits"][:, len(TAXONOMY.ids) :]
    first = category_loss(category, batch["category_target"], module.recipe.weights, 0.05)
    torch.testing.assert_close(found["loss"], first + 0.5 * severity_loss(severity, batch["severity_target"]))

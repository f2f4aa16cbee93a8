"""Imitation: a bundle with pooled tokens learns to read as its teacher does, without labels.

What it learns is the teacher's hidden states, of each token in each layer above its pooling and of the post as a whole,
and what the teacher's heads make of them (as Jiao et al. 2020 do for a smaller BERT). That says far more about a post
than its label, so far fewer rows are needed. The heads stay the teacher's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.classifier import RiskClassifier
from models.pooling import hidden_states, mean_pool, pool_pairs

LAYERS_WEIGHT = 3.0  # of the tokens' hidden states, mean of the layers, beside the two heads
HIDDEN_WEIGHT = 2.0  # of the post's
States = list[tuple[Tensor, Tensor]]


def hidden_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared difference of hidden states [n, hidden] over the variance of the wanted ones."""
    return functional.mse_loss(found, wanted) / wanted.var().clamp(min=1e-6)


def token_loss(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    """The same of tokens' states [n, t, hidden], padding left out; where one side's are pairs, so become the other's.

    Each side comes with what its tokens stand for, [n, t].
    """
    (one, counts), (other, others) = found, wanted
    if one.shape[1] > other.shape[1]:
        one, counts = pool_pairs(one, counts)
    elif one.shape[1] < other.shape[1]:
        other, _ = pool_pairs(other, others)
    tokens = counts > 0
    return hidden_loss(one[tokens], other[tokens])


def layers_loss(found: States, wanted: States) -> Tensor:
    """Mean of `token_loss` over layers."""
    return torch.stack([token_loss(*pair) for pair in zip(found, wanted, strict=True)]).mean()


def category_divergence(found: Tensor, wanted: Tensor) -> Tensor:
    """Kullback-Leibler divergence of category logits [n, categories], mean over the rows."""
    return functional.kl_div(found.log_softmax(1), wanted.softmax(1), reduction="batchmean")


def severity_divergence(found: Tensor, wanted: Tensor, crisis: Tensor) -> Tensor:
    """The same of continuation logits [n, ranks - 2]; a step weighs as much as the teacher believes it is reached.

    `crisis`: P(rank > 0) by the teacher, [n].
    """
    steps = wanted.sigmoid()
    reached = torch.cat([crisis[:, None], steps[:, :-1]], dim=1).cumprod(1)
    losses = functional.binary_cross_entropy_with_logits(found, steps, reduction="none")
    least = functional.binary_cross_entropy_with_logits(wanted, steps, reduction="none")
    return ((losses - least) * reached).sum(1).mean()


@contextmanager
def heads_kept(classifier: RiskClassifier) -> Iterator[None]:
    """Its heads do not learn meanwhile: another reading is to suit them, not they another reading."""
    for head in (classifier.category, classifier.severity):
        head.requires_grad_(False)
    try:
        yield
    finally:
        for head in (classifier.category, classifier.severity):
            head.requires_grad_(True)


class ImitatingModule(nn.Module):
    """A classifier that gives its distance from a teacher as its loss; the labels of the rows only measure it."""

    def __init__(self, classifier: RiskClassifier, teacher: RiskClassifier) -> None:
        super().__init__()
        self.classifier = classifier
        # in a mapping they are no part of the module: not trained, not in checkpoints; a copy for each device
        self._teachers = {next(teacher.parameters()).device: teacher.eval()}

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, category_target: Tensor, severity_target: Tensor
    ) -> dict[str, Tensor]:
        teacher = self._teacher(input_ids.device)
        with torch.no_grad():
            wanted = _states(teacher, input_ids, attention_mask)
            whole = mean_pool(*wanted[-1]).float()
            category, severity = teacher.heads(whole)
        found = _states(self.classifier, input_ids, attention_mask)
        post = mean_pool(*found[-1]).float()
        logits = self.classifier.heads(post)
        crisis = 1 - category.softmax(1)[:, 0]
        above = self.classifier.pool_after  # below, both begin with the same
        loss = LAYERS_WEIGHT * layers_loss(found[above:], wanted[above:]) + HIDDEN_WEIGHT * hidden_loss(post, whole)
        loss = loss + category_divergence(logits[0], category) + severity_divergence(logits[1], severity, crisis)
        return {"loss": loss, "logits": torch.cat(logits, dim=1)}

    def _teacher(self, device: torch.device) -> RiskClassifier:
        """The teacher on this device; several ask at once where one process trains on several of them."""
        if device not in self._teachers:
            first = next(iter(self._teachers.values()))
            self._teachers.setdefault(device, copy.deepcopy(first).to(device))
        return self._teachers[device]


def _states(classifier: RiskClassifier, input_ids: Tensor, attention_mask: Tensor) -> States:
    return [*hidden_states(classifier.encoder, input_ids, attention_mask, classifier.pool_after)]

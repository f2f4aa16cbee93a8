"""Imitation: a bundle with pooled tokens learns to read as its teacher does, without labels.

What it learns is the teacher's mean hidden state of each post and what its heads make of that (as Jiao et al. 2020 do
for a smaller BERT). That says far more about a post than its label, so far fewer rows are needed.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.classifier import RiskClassifier

HIDDEN_WEIGHT = 2.0  # of the hidden states beside the two heads


def hidden_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared difference of hidden states [n, hidden] over the variance of the wanted ones."""
    return functional.mse_loss(found, wanted) / wanted.var().clamp(min=1e-6)


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
            wanted = teacher.pooled(input_ids, attention_mask)
            category, severity = teacher.heads(wanted)
        found = self.classifier.pooled(input_ids, attention_mask)
        logits = self.classifier.heads(found)
        crisis = 1 - category.softmax(1)[:, 0]
        loss = HIDDEN_WEIGHT * hidden_loss(found, wanted) + category_divergence(logits[0], category)
        return {
            "loss": loss + severity_divergence(logits[1], severity, crisis),
            "logits": torch.cat(logits, dim=1),
        }

    def _teacher(self, device: torch.device) -> RiskClassifier:
        """The teacher on this device; several ask at once where one process trains on several of them."""
        if device not in self._teachers:
            first = next(iter(self._teachers.values()))
            self._teachers.setdefault(device, copy.deepcopy(first).to(device))
        return self._teachers[device]

"""The joint loss of the two heads, masked where a label is missing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.classifier import IGNORED, RiskClassifier


def category_loss(logits: Tensor, target: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Weighted cross entropy with soft targets; rows whose target sums to zero are left out."""
    labelled = target.sum(1) > 0
    if not labelled.any():
        return logits.sum() * 0
    soft = target[labelled] * (1 - smoothing) + smoothing / target.shape[1]
    weight = (target[labelled] * weights).sum(1)
    losses = -(soft * functional.log_softmax(logits[labelled], dim=1)).sum(1)
    return (losses * weight).sum() / weight.sum()


def severity_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Sum over the continuation logits of a row, mean over the rows of a batch."""
    taught = target != IGNORED
    losses = functional.binary_cross_entropy_with_logits(logits, target.clamp(min=0), reduction="none")
    return (losses * taught).sum() / max(len(target), 1)


def drop_tokens(ids: Tensor, mask: Tensor, share: float, replacement: int) -> Tensor:
    """Word dropout: replace a share of the inner tokens (neither `<s>`, `</s>` nor padding)."""
    inner = mask.bool().roll(-1, dims=1)
    inner[:, 0] = inner[:, -1] = False
    return torch.where((torch.rand(ids.shape, device=ids.device) < share) & inner, replacement, ids)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the loss needs beside the rows."""

    weights: Tensor  # of the categories
    smoothing: float
    severity_weight: float
    token_dropout: float
    mask_id: int


class TeachingModule(nn.Module):
    """A classifier that gives its own loss, as the Trainer wants it."""

    def __init__(self, classifier: RiskClassifier, recipe: Recipe) -> None:
        super().__init__()
        self.classifier, self.recipe = classifier, recipe

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, category_target: Tensor, severity_target: Tensor
    ) -> dict[str, Tensor]:
        recipe = self.recipe
        if self.training and recipe.token_dropout:
            input_ids = drop_tokens(input_ids, attention_mask, recipe.token_dropout, recipe.mask_id)
        category, severity = self.classifier(input_ids, attention_mask)
        loss = category_loss(category, category_target, recipe.weights.to(category.device), recipe.smoothing)
        loss = loss + recipe.severity_weight * severity_loss(severity, severity_target)
        return {"loss": loss, "logits": torch.cat([category, severity], dim=1)}

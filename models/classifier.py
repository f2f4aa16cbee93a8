"""The text model: a BERT encoder, mean pooling, and two heads (category, ordinal severity).

Severity is a continuation-ratio model on top of the category head: P(rank > 0) = 1 - P(none), and logit k of the
severity head is P(rank > k+1 | rank > k). Cumulative probabilities fall by construction, and "none <=> rank 0" cannot
be broken by a head that disagrees with the other.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import BertModel

from models.pooling import encode_pooled, mean_pool

IGNORED = -100.0  # target of a logit that a row does not teach


@dataclass(frozen=True, slots=True)
class Adapter:
    """Form of the low-rank adapter; rank 0 means full fine-tuning of the encoder."""

    rank: int = 48
    alpha: int = 96
    dropout: float = 0.0


def adapt(model: BertModel, adapter: Adapter) -> nn.Module:
    """Put LoRA on every linear layer of the encoder (all other weights are frozen), or leave it whole for rank 0."""
    if adapter.rank == 0:
        return model
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules="all-linear",
        bias="none",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # peft asks by the old name
        adapted: nn.Module = get_peft_model(model, config)
    return adapted


class RiskClassifier(nn.Module):
    """Encoder and heads. `forward` gives category logits [n, categories] and severity logits [n, ranks - 2].

    pool_after: layer after which tokens are pooled in pairs (0 = never); then rows must be padded to even lengths.
    """

    def __init__(
        self, encoder: nn.Module, hidden: int, categories: int, ranks: int, pool_after: int = 0, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder, self.pool_after = encoder, pool_after
        self.dropout = nn.Dropout(dropout)
        self.category = nn.Linear(hidden, categories)
        self.severity = nn.Linear(hidden, ranks - 2)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.heads(self.dropout(self.pooled(input_ids, attention_mask)))

    def pooled(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The mean hidden state of each post: [n, hidden]."""
        if self.pool_after:
            if not torch.onnx.is_in_onnx_export() and input_ids.shape[1] % 2:
                raise ValueError(f"{input_ids.shape[1]} tokens: pad rows to an even length, tokens are pooled in pairs")
            hidden, counts = encode_pooled(self.encoder, input_ids, attention_mask, self.pool_after)
        else:
            found = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
            hidden, counts = found.last_hidden_state, attention_mask
        return mean_pool(hidden, counts).float()

    def heads(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Category and severity logits of mean hidden states, in fp32 also where the encoder computes in less."""
        with torch.autocast(pooled.device.type, enabled=False):
            return self.category(pooled), self.severity(pooled)

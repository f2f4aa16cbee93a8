"""Pooling of tokens: the mean over a post, and, inside the encoder, of neighbours, so that the layers above read half.

The latter is that of the Funnel-Transformer (Dai et al. 2020) with the weights of an ordinary BERT. A pooled token
stands for as many as it was made of, in attention (proportional attention, Bolya et al. 2023) as in the final mean.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import BertModel


def mean_pool(hidden: Tensor, counts: Tensor) -> Tensor:
    """Mean over tokens that stand for so many each (0 for padding): [n, t, h], [n, t] -> [n, h]."""
    weights = counts.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def pool_pairs(hidden: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Every two neighbours as one, padding left out: [n, t, h], [n, t] -> [n, t / 2, h], [n, t / 2]; t must be even."""
    left, right = counts[:, 0::2], counts[:, 1::2]
    total = left + right
    shares = [part / total.clamp(min=1) for part in (left, right)]
    # a sum of two, not .sum(): `models.quantise_rows` takes a sum of products for the pooling at the end
    pooled = hidden[:, 0::2] * shares[0].unsqueeze(-1) + hidden[:, 1::2] * shares[1].unsqueeze(-1)
    return pooled, total


def attention_bias(counts: Tensor) -> Tensor:
    """What is added to attention to tokens that stand for so many each: [n, t] -> [n, 1, 1, t]."""
    lowest = torch.finfo(counts.dtype).min
    return torch.where(counts > 0, counts.clamp(min=1).log(), lowest)[:, None, None, :]


def bert_of(encoder: nn.Module) -> BertModel:
    """The BERT within an adapter, or the encoder itself."""
    found = encoder.get_base_model() if isinstance(encoder, PeftModel) else encoder
    assert isinstance(found, BertModel)
    return found


def hidden_states(
    encoder: nn.Module, input_ids: Tensor, attention_mask: Tensor, after: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """After each layer hidden states [n, t, h] and what their tokens stand for [n, t]; t / 2 from layer `after` on."""
    bert = bert_of(encoder)
    hidden = bert.embeddings(input_ids=input_ids)
    counts = attention_mask.to(hidden.dtype)
    for number, layer in enumerate(bert.encoder.layer, start=1):
        hidden = layer(hidden, attention_bias(counts))
        if number == after:
            hidden, counts = pool_pairs(hidden, counts)
        yield hidden, counts


def encode_pooled(encoder: nn.Module, input_ids: Tensor, attention_mask: Tensor, after: int) -> tuple[Tensor, Tensor]:
    """Run the encoder with tokens pooled in pairs after layer `after`: hidden [n, t / 2, h] and counts [n, t / 2]."""
    *_, last = hidden_states(encoder, input_ids, attention_mask, after)
    return last

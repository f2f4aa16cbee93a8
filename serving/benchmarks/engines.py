"""Engines on one thread, from texts to logits: what a user would write, against what Yujing runs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from models.bundle import Bundle, text_part
from models.cpu import has_bf16, has_vnni
from models.engine import Engine
from models.engine_build import ENGINES, load_tokens
from models.tokens import Tokens
from serving.benchmarks.clock import Work, compare, take_turns

Slices = Sequence[Sequence[str]]  # of posts: the first to warm up, then one for each round
BATCH = 32  # of the torch script
PIPELINE = "transformers.pipeline, one by one"
TORCH = "torch fp32, batches of 32 by length"
POOLED = "torch fp32, tokens pooled too"  # of a bundle that pools
OURS = {"onnx": "engine onnx", "bf16": "engine bf16", "int8": "engine int8"}
VNNI, NO_VNNI = "OpenVINO, VNNI", "ONNX Runtime, no VNNI"  # what int8 is computed with


def computed_with() -> dict[str, str]:
    """What each engine is computed with on this CPU; one that does not tell counts as with VNNI (`models.cpu`)."""
    return {
        "onnx": "ONNX Runtime in fp32",
        "bf16": "OpenVINO in bfloat16" if has_bf16() else "OpenVINO in fp32",
        "int8": VNNI if has_vnni() else NO_VNNI,
    }


def run_engines(bundle: Bundle, slices: Slices) -> dict[str, Any]:
    """Each engine's speed, and its ratios to both peers in the same rounds, each on its own slice of the posts."""
    tokens = load_tokens(bundle)
    contenders = _peers(bundle, tokens, slices)
    for name, label in OURS.items():
        contenders[label] = _all_at_once(ENGINES[name](bundle, tokens.pad, 1), tokens, slices)
    rounds, rows = len(slices) - 1, len(slices[0])
    spent = take_turns(contenders, rounds)
    figures = {
        label: {
            f"over {peer}": {key: asdict(value) for key, value in compare(spent, label, peer, rows).items()}
            for peer in (PIPELINE, TORCH)
        }
        for label in contenders
    }
    lengths = [len(ids) for texts in slices[1:] for ids in tokens.encode(texts)]
    return {"texts": rounds * rows, "tokens": sum(lengths), "rounds": rounds, "engines": figures}


def _all_at_once(engine: Engine, tokens: Tokens, slices: Slices) -> Work:
    return lambda turn: engine.logits(tokens.encode(slices[turn]))


def _peers(bundle: Bundle, tokens: Tokens, slices: Slices) -> dict[str, Work]:
    import torch

    from models.adapter import load_classifier
    from models.export import merged

    torch.set_num_threads(1)
    classifier = merged(load_classifier(bundle))
    classifier.pool_after = 0  # a plain BERT of the same size: all that the pipeline, or who writes no model, can run
    pipeline = _pipeline(classifier, tokens)

    def one_by_one(turn: int) -> None:
        for text in slices[turn]:
            pipeline(text, truncation=True, max_length=tokens.limit)

    def by_length(turn: int, model: Any = classifier, even: bool = False) -> None:
        rows = sorted(tokens.encode(slices[turn]), key=len)
        for start in range(0, len(rows), BATCH):
            _forward(model, rows[start : start + BATCH], tokens.pad, even)

    peers: dict[str, Work] = {PIPELINE: one_by_one, TORCH: by_length}
    if text_part(bundle).pool_after:
        peers[POOLED] = partial(by_length, model=merged(load_classifier(bundle)), even=True)
    return peers


def _forward(classifier: Any, rows: Sequence[list[int]], pad: int, even: bool) -> None:
    import torch

    width = max(map(len, rows))
    width += width % 2 if even else 0  # tokens are pooled in pairs
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    with torch.inference_mode():
        classifier(ids, mask)


def _pipeline(classifier: Any, tokens: Tokens) -> Any:
    """The real pipeline around the bundle's encoder; its head is untrained, which costs the same time."""
    transformers: Any = importlib.import_module("transformers")  # partly untyped

    transformers.logging.set_verbosity_error()
    body = classifier.encoder
    model = transformers.BertForSequenceClassification(body.config).eval()
    model.bert.embeddings, model.bert.encoder = body.embeddings, body.encoder
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokens.tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
    return transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

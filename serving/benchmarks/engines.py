"""Engines on one thread, from texts to logits: what a user would write, against what Yujing runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from models.bundle import Bundle
from models.engine import Engine
from models.engine_build import ENGINES, load_tokens
from models.tokens import Tokens
from serving.benchmarks.clock import compare, take_turns

BATCH = 32  # of the torch script
PIPELINE = "transformers.pipeline, one by one"
TORCH = "torch fp32, batches of 32 by length"
OURS = {"onnx": "ONNX Runtime fp32", "bf16": "OpenVINO bf16", "int8": "OpenVINO int8"}


def run_engines(bundle: Bundle, texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Each engine's speed, and its ratios to both peers in the same rounds."""
    tokens = load_tokens(bundle)
    contenders = _peers(bundle, tokens, texts)
    for name, label in OURS.items():
        contenders[label] = _all_at_once(ENGINES[name](bundle, tokens.pad, 1), tokens, texts)
    spent = take_turns(contenders, rounds)
    figures = {
        label: {
            f"over {peer}": {key: asdict(value) for key, value in compare(spent, label, peer, len(texts)).items()}
            for peer in (PIPELINE, TORCH)
        }
        for label in contenders
    }
    lengths = [len(ids) for ids in tokens.encode(texts)]
    return {"texts": len(texts), "tokens": sum(lengths), "rounds": rounds, "engines": figures}


def _all_at_once(engine: Engine, tokens: Tokens, texts: Sequence[str]) -> Callable[[], object]:
    return lambda: engine.logits(tokens.encode(texts))


def _peers(bundle: Bundle, tokens: Tokens, texts: Sequence[str]) -> dict[str, Callable[[], object]]:
    import torch

    from models.adapter import load_classifier

    torch.set_num_threads(1)
    classifier = load_classifier(bundle)
    pipeline = _pipeline(classifier, tokens)

    def one_by_one() -> None:
        for text in texts:
            pipeline(text, truncation=True, max_length=tokens.limit)

    def by_length() -> None:
        rows = sorted(tokens.encode(texts), key=len)
        for start in range(0, len(rows), BATCH):
            _forward(classifier, rows[start : start + BATCH], tokens.pad)

    return {PIPELINE: one_by_one, TORCH: by_length}


def _forward(classifier: Any, rows: Sequence[list[int]], pad: int) -> None:
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    with torch.inference_mode():
        classifier(ids, mask)


def _pipeline(classifier: Any, tokens: Tokens) -> Any:
    """The real pipeline around the bundle's encoder; its head is untrained, which costs the same time."""
    transformers: Any = importlib.import_module("transformers")  # partly untyped

    transformers.logging.set_verbosity_error()
    encoder = classifier.encoder
    body = encoder.merge_and_unload() if hasattr(encoder, "merge_and_unload") else encoder
    model = transformers.BertForSequenceClassification(body.config).eval()
    model.bert.embeddings, model.bert.encoder = body.embeddings, body.encoder
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokens.tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
    return transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

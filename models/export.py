"""Build the CPU engine's graph: base encoder, adapter and heads merged into one fp32 ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import cast

import torch
from peft import PeftModel
from transformers import BertModel

from data.files import whole
from models.classifier import RiskClassifier


def merged(classifier: RiskClassifier) -> RiskClassifier:
    """Fold the adapter into the encoder's own weights (in place)."""
    if isinstance(classifier.encoder, PeftModel):
        classifier.encoder = classifier.encoder.merge_and_unload()
    return classifier.eval()


def export_onnx(classifier: RiskClassifier, path: Path) -> Path:
    """Write the merged classifier as ONNX with free batch and length; the file appears whole or not at all."""
    classifier = merged(classifier)
    cast(BertModel, classifier.encoder).set_attn_implementation("eager")
    example = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "rows", 1: "tokens"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            classifier,
            (example, example),
            str(part),
            input_names=["input_ids", "attention_mask"],
            output_names=["category", "severity"],
            dynamic_axes={
                "input_ids": axes,
                "attention_mask": axes,
                "category": {0: "rows"},
                "severity": {0: "rows"},
            },
            dynamo=False,
        )
    classifier.eval()  # the exporter may leave dropout on
    return path

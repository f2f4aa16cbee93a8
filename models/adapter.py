"""The trained part of the text model as one safetensors blob: LoRA matrices (or whole weights) and heads."""

from __future__ import annotations

import torch
from safetensors.torch import load, save

from data.errors import BundleError
from models.bundle import ADAPTER, Bundle, text_part
from models.classifier import Adapter, RiskClassifier, adapt
from models.encoder import load_encoder


def trained_weights(classifier: RiskClassifier) -> dict[str, torch.Tensor]:
    """Names and values of all weights that training changed."""
    names = {name for name, weight in classifier.named_parameters() if weight.requires_grad}
    return {name: weight for name, weight in classifier.state_dict().items() if name in names}


def dump_adapter(classifier: RiskClassifier) -> bytes:
    """Trained weights in fp16 (LoRA, rank 48: 8 MB); heads stay fp32."""
    return save(
        {
            name: weight.detach().cpu().contiguous().to(torch.float16 if name.startswith("encoder.") else torch.float32)
            for name, weight in trained_weights(classifier).items()
        }
    )


def load_adapter(classifier: RiskClassifier, blob: bytes) -> RiskClassifier:
    """Put trained weights into a fresh classifier; BundleError unless names and shapes fit exactly."""
    try:
        weights = load(blob)
    except Exception as error:  # a file that someone else made can fail in any way
        raise BundleError(f"{ADAPTER} is no safetensors file ({type(error).__name__}: {error})") from None
    wanted = {name: tuple(weight.shape) for name, weight in trained_weights(classifier).items()}
    found = {name: tuple(weight.shape) for name, weight in weights.items()}
    if wanted != found:
        odd = sorted(set(wanted.items()) ^ set(found.items()))[:3]
        raise BundleError(f"{ADAPTER} does not fit the classifier: first differences {odd}")
    classifier.load_state_dict(weights, strict=False)
    return classifier.eval()


def average_adapter(classifier: RiskClassifier, blob: bytes, share: float) -> RiskClassifier:
    """Mix `share` of the trained weights of a blob into the classifier's own (WiSE-FT, Wortsman et al. 2022)."""
    own = {name: weight.detach().clone() for name, weight in trained_weights(classifier).items()}
    other = trained_weights(load_adapter(classifier, blob))
    mixed = {name: share * other[name] + (1 - share) * weight for name, weight in own.items()}
    classifier.load_state_dict(mixed, strict=False)
    return classifier.eval()


def load_classifier(bundle: Bundle) -> RiskClassifier:
    """The torch model of a bundle, on the base encoder that it was trained with (checked by hash)."""
    part = text_part(bundle)
    encoder = load_encoder(part.encoder)
    if encoder.sha256 != part.encoder_sha256:
        raise BundleError(
            f"base encoder {part.encoder} has sha256 {encoder.sha256}, the bundle was trained on {part.encoder_sha256}"
        )
    body = adapt(encoder.model, Adapter(rank=part.adapter_rank, alpha=2 * part.adapter_rank))
    shape = encoder.model.config
    if part.pool_after >= shape.num_hidden_layers:
        raise BundleError(
            f"{bundle.folder}: text.pool_after: {part.pool_after}, its encoder has {shape.num_hidden_layers} layers: "
            "train it again"
        )
    categories = len(bundle.manifest.categories)
    classifier = RiskClassifier(body, shape.hidden_size, categories, part.ranks, part.pool_after)
    return load_adapter(classifier, bundle.read(ADAPTER))

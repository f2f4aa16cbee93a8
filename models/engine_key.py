"""Names engines by what they are made of: bundles with the same text model share one, another recipe has its own."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.bundle import ADAPTER, Bundle, text_part

LIBRARIES = ("nncf", "onnx", "openvino", "peft", "torch", "transformers")  # that build; the names tell, none is loaded
CODE = (  # modules beside this one that decide what becomes of the weights
    "adapter",
    "classifier",
    "encoder",
    "export",
    "packaged",
    "pooling",
    "quantise",
    "quantise_rows",
    "vocabulary",
)


def engine_key(bundle: Bundle) -> str:
    """Hash of all that the graph of a bundle's text model is built of (`models.adapter.load_classifier` reads it)."""
    text = text_part(bundle)
    made_of = (
        text.encoder,
        text.encoder_sha256,
        bundle.manifest.files.get(ADAPTER),
        text.adapter_rank,
        text.ranks,
        text.pool_after,
        len(bundle.manifest.categories),
        recipe(),
    )
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


@cache
def recipe() -> str:
    """Hash of the code that builds engines and of the versions of the libraries that it calls."""
    digest = hashlib.sha256(json.dumps([(name, _release(name)) for name in LIBRARIES]).encode())
    for name in CODE:
        digest.update(hashlib.sha256((Path(__file__).parent / f"{name}.py").read_bytes()).digest())
    return digest.hexdigest()


def _release(name: str) -> str:
    """Without what follows a plus: an engine that a machine with a GPU has built serves where there is none."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:  # as of a bundle of packages that was taken apart
        return ""

"""Names engines by what they are made of: bundles with the same text model share one, another recipe has its own."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from models.bundle import ADAPTER, Bundle, text_part

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
    """Hash of the code that builds engines.

    Not of the versions of torch and its like: the graph says what it computes, and who serves an engine that was built
    elsewhere need not have them.
    """
    digest = hashlib.sha256()
    for name in CODE:
        digest.update(hashlib.sha256((Path(__file__).parent / f"{name}.py").read_bytes()).digest())
    return digest.hexdigest()

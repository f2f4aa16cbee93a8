"""An earlier bundle that teaches a run, or that it begins with: only one that never saw what is held out now."""

from __future__ import annotations

from pathlib import Path

from data.errors import CorpusError
from data.taxonomy import Taxonomy
from models.bundle import Bundle, open_bundle, text_part
from training.config import load_config
from training.text_config import TextConfig

PROTOCOL = ("seed", "test", "validation", "held_out_source", "before")


def earlier_bundle(folder: str, config: TextConfig, taxonomy: Taxonomy) -> Bundle:
    """Open it; CorpusError when it was split otherwise, for then its training rows may be in this run's test part."""
    bundle = open_bundle(Path(folder), taxonomy)
    before = load_config(TextConfig, flags=text_part(bundle).config)
    for name in PROTOCOL:
        if getattr(before, name) != getattr(config, name):
            raise CorpusError(
                f"{folder} was trained with {name}={getattr(before, name)}, this run has {getattr(config, name)}: "
                "what is held out now may have taught it; use one protocol for both"
            )
    return bundle

"""Making reference statistics: score usual posts, count, keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from data.files import whole
from data.records import MAX_ITEMS, MAX_TEXT, Item
from models.bundle import Bundle
from models.engine_build import load_tokens
from models.manifest import NAME
from serving.drift.observation import Observation, observe
from serving.drift.reference import Reference, make_reference
from serving.scoring import load_scorer
from serving.settings import Settings
from serving.writable import writing


def observe_texts(bundle: Bundle, texts: Sequence[str], settings: Settings | None = None) -> list[Observation]:
    """Score texts by the path that serves, with engine, threads and words of the settings, and count."""
    settings = replace(settings or Settings(), bundle=bundle.folder)
    scorer, tokens = load_scorer(settings), load_tokens(bundle)
    found: list[Observation] = []
    for start in range(0, len(texts), MAX_ITEMS):
        part = [text[:MAX_TEXT] for text in texts[start : start + MAX_ITEMS]]
        found += observe(part, scorer.score([Item(text=text) for text in part]), tokens)
    return found


def score_reference(bundle: Bundle, texts: Sequence[str], settings: Settings | None = None) -> Reference:
    """Statistics of the bundle's answers to texts; CorpusError when they are too few."""
    return make_reference(observe_texts(bundle, texts, settings), bundle.model_id)


def reference_path(bundle: Bundle, out: Path | None) -> Path:
    """Where `store_reference` writes."""
    return out or bundle.folder / NAME


def store_reference(reference: Reference, bundle: Bundle, out: Path | None) -> Path:
    """Write to `out`, or into the bundle's manifest, which keeps the bundle's id; where it was written. InputError."""
    path = reference_path(bundle, out)
    written = reference.dumps() if out else replace(bundle.manifest, reference=asdict(reference)).dumps()
    with writing(path), whole(path) as part:
        part.write_text(written, encoding="utf-8")
    return path

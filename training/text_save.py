"""Write a text model into its bundle, with the escalation heads of the bundle that the run began with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data.taxonomy import Taxonomy
from models.adapter import dump_adapter
from models.bundle import ADAPTER, LEXICAL, TOKENIZER, Bundle, escalation_file, save_part
from models.classifier import RiskClassifier
from models.encoder import Encoder
from models.lexical import LexicalModel, dump_lexical
from models.manifest import NAME, EscalationPart, TextPart, read_manifest
from training.card import write_card

Files = Mapping[str, bytes | None]


def _carried(start: Bundle | None, folder: Path) -> dict[str, EscalationPart]:
    """Heads of the start that the bundle in `folder` has none of."""
    own = read_manifest(folder).escalation if (folder / NAME).exists() else {}
    return {head: part for head, part in start.manifest.escalation.items() if head not in own} if start else {}


def trained_files(encoder: Encoder, classifier: RiskClassifier, lexical: LexicalModel | None) -> Files:
    """What a training has made, as the files of a bundle."""
    return {
        ADAPTER: dump_adapter(classifier),
        TOKENIZER: encoder.tokenizer.backend_tokenizer.to_str().encode(),
        LEXICAL: dump_lexical(lexical) if lexical else None,
    }


def files_of(bundle: Bundle) -> Files:
    """The same files of a bundle, byte for byte."""
    names = (ADAPTER, TOKENIZER, LEXICAL)
    return {name: bundle.read(name) if name in bundle.manifest.files else None for name in names}


def save_text(folder: Path, taxonomy: Taxonomy, files: Files, part: TextPart, start: Bundle | None) -> Bundle:
    """The bundle with this text model; it scores volumes as the start does, unless it has heads of its own."""
    heads = _carried(start, folder)
    carried = {escalation_file(head): start.read(escalation_file(head)) for head in heads} if start else {}
    bundle = save_part(folder, taxonomy, {**files, **carried}, text=part, escalation=heads)
    write_card(bundle)
    return bundle

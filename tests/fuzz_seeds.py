"""Valid inputs of the file readers, as small as they can be, and ways to spoil them."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
TEXTS = ("假货一直推诿", "物流很慢客服骂人", "挺好的下次再来")
DEEP = "[" * 50_000
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 2**31, 2**63, 2**64, 1.5, 1e308, float("nan"), float("inf"), "", "\0", "\ud800", "..",
    "/etc/passwd", "a/b", "manifest.json", "x" * 300, "假货", "F32", "F16", "BF16", "F64", "I64", "U8", "U16", "BOOL",
    "F8_E4M3", "F8_E8M0", "F4", "C64", [], {}, [[]], [0, 0], [1, 0], [0, 1], [-1], [2**62, 4], {"a": 1}, [""], [[], {}],
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chance:
    """Numbers below a limit, drawn from the fuzzer's bytes (atheris.FuzzedDataProvider.ConsumeIntInRange)."""

    draw: Callable[[int, int], int]

    def below(self, limit: int) -> int:
        return self.draw(0, max(limit - 1, 0))


def spoil(tree: Any, chance: Chance) -> Any:
    """A JSON tree with one to four of its values replaced, left out, renamed or doubled."""
    for _ in range(1 + chance.below(4)):
        tree = _spoil_one(tree, chance)
    return tree


def _spoil_one(node: Any, chance: Chance) -> Any:
    if not isinstance(node, dict | list) or not node or chance.below(8) == 0:
        return ODD[chance.below(len(ODD))]
    place = chance.below(len(node))
    if isinstance(node, list):
        way = chance.below(4)
        if way == 0:
            return node[:place] + node[place + 1 :]
        if way == 1:
            return [*node, node[place]]
        return [*node[:place], _spoil_one(node[place], chance), *node[place + 1 :]]
    key, way = [*node][place], chance.below(6)
    if way == 0:
        return {name: value for name, value in node.items() if name != key}
    if way == 1:
        return {**node, str(ODD[chance.below(len(ODD))]): node[key]}
    return {**node, key: _spoil_one(node[key], chance)}


def spoil_safetensors(blob: bytes, chance: Chance) -> bytes:
    """The header is spoiled, the tensors stay."""
    (size,) = struct.unpack("<Q", blob[:8])
    header = json.dumps(spoil(json.loads(blob[8 : 8 + size]), chance)).encode()
    return struct.pack("<Q", len(header)) + header + blob[8 + size :]


def spoil_skops(blob: bytes, chance: Chance) -> bytes:
    """The schema is spoiled, the arrays stay."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blob)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, json.dumps(spoil(json.loads(part), chance)) if name == "schema.json" else part)
    return out.getvalue()


def spoil_bytes(blob: bytes, chance: Chance) -> bytes:
    """Some bytes are others, and it may end early."""
    spoiled = bytearray(blob)
    for _ in range(1 + chance.below(6)):
        spoiled[chance.below(len(spoiled))] = chance.below(256)
    return bytes(spoiled[: chance.below(len(spoiled))] if chance.below(4) == 0 else spoiled)


def spoil_json(blob: bytes, chance: Chance) -> bytes:
    """Any JSON file."""
    return json.dumps(spoil(json.loads(blob), chance)).encode()


def lexical() -> bytes:
    """A linear reader of three posts."""
    from models.lexical import LexicalModel, dump_lexical

    ngrams = sorted({*"".join(TEXTS)})[:20]
    shape = len(ngrams), len(TAXONOMY.ids)
    zeros = np.zeros(shape, np.float32), np.zeros(shape[1], np.float32)
    return dump_lexical(LexicalModel(ngrams, np.ones(len(ngrams), np.float32), *zeros))


def encoder() -> Any:
    """A BERT of one layer."""
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    return BertModel(BertConfig(vocab_size=16, max_position_embeddings=8, **sizes), add_pooling_layer=False)


def classifier() -> Any:
    """It with an adapter and both heads."""
    from models.classifier import Adapter, RiskClassifier, adapt

    return RiskClassifier(adapt(encoder(), Adapter(rank=1, alpha=2)), 8, len(TAXONOMY.ids), len(TAXONOMY.severities))


def escalation() -> bytes:
    """A `counts` head that has seen the sample series."""
    from data.samples import sample_series
    from models.escalation_store import dump
    from training.decisions import decide_on, topics_of
    from training.escalation_config import EscalationConfig
    from training.escalation_fit import Blocks, fit_model, tabulate

    topics = topics_of(sample_series())
    decisions = decide_on(topics)
    rows = np.ones(len(decisions.topic), bool)
    where = Blocks(fit=rows, calibration=rows, test=~rows)
    return dump(fit_model(tabulate(topics, decisions, where), where, EscalationConfig(iterations=2, leaf_rows=5)))


def tokenizer() -> bytes:
    """A tokenizer of a few characters."""
    from models.vocabulary import SPACE, SPECIALS, build_tokenizer

    pieces = [*SPECIALS, SPACE, *"假货物流慢", "<mask>"]
    built = build_tokenizer(pieces, np.full(len(pieces), -5.0, np.float32))
    return str(built.backend_tokenizer.to_str()).encode()


def manifest(files: dict[str, bytes]) -> dict[str, Any]:
    """The shipped bundle's, with other files."""
    from models.bundle import SHIPPED
    from models.manifest import NAME

    raw: dict[str, Any] = json.loads((SHIPPED / NAME).read_text(encoding="utf-8"))
    return {**raw, "files": {name: hashlib.sha256(blob).hexdigest() for name, blob in files.items()}}


def folder_with(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, blob in files.items():
        (folder / name).write_bytes(blob)
    return folder

"""What reads a stranger's files and texts, each with a valid input and a way to spoil it; only our errors may leave."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import fuzz_seeds as seeds

if TYPE_CHECKING:
    from models.bundle import Bundle

TEXT = "买到假货！！！！ @某某 https://t.cn/A1b2 １３８１２３４５６７８ 加微信 abc_12345，"
TEXT += "京A12345，a.b@c.com e\u0301👨\u200d👧 ㎏"


@dataclass(frozen=True, slots=True)
class Target:
    """`read` takes any bytes; `change` makes an almost valid input of `valid`."""

    valid: bytes
    change: Callable[[bytes, seeds.Chance], bytes]
    read: Callable[[bytes], object]


def packaged() -> Target:
    """The packaged encoder's file."""
    from test_packaged import small_file

    from models.packaged import parse_packaged

    return Target(small_file(), seeds.spoil_bytes, parse_packaged)


def manifest() -> Target:
    """The manifest of a bundle with one artefact."""
    from models.bundle import open_bundle
    from models.manifest import NAME

    files = {"a.bin": b"a"}
    folder = seeds.folder_with(Path(tempfile.mkdtemp()), files)

    def read(blob: bytes) -> None:
        (folder / NAME).write_bytes(blob)
        assert open_bundle(folder).model_id

    return Target(json.dumps(seeds.manifest(files)).encode(), seeds.spoil_json, read)


def in_a_bundle(name: str, valid: bytes, load: Callable[[Bundle], object]) -> Target:
    """A JSON file of a bundle whose hash is right, as somebody would make it who knows the format."""
    from models.bundle import open_bundle
    from models.manifest import NAME

    files = {name: valid}
    files[NAME] = json.dumps(seeds.manifest(files)).encode()
    bundle = open_bundle(seeds.folder_with(Path(tempfile.mkdtemp()), files))

    def read(blob: bytes) -> None:
        (bundle.folder / name).write_bytes(blob)
        bundle.manifest.files[name] = sha256(blob).hexdigest()
        load(bundle)

    return Target(valid, seeds.spoil_json, read)


def tokenizer() -> Target:
    """The tokenizer of a bundle."""
    from models.bundle import TOKENIZER
    from models.engine_build import load_tokens

    return in_a_bundle(TOKENIZER, seeds.tokenizer(), load_tokens)


def golden() -> Target:
    """The golden posts beside a bundle."""
    from serving.golden import NAME, read_golden

    valid = {"model": "m", "items": [{"text": "假货"}], "answers": [{"category": "other", "severity": 1}]}
    return in_a_bundle(NAME, json.dumps(valid).encode(), read_golden)


def lexical() -> Target:
    """The linear second reader; what can be loaded can be used."""
    from models.lexical import load_lexical

    def read(blob: bytes) -> None:
        load_lexical(blob, len(seeds.TAXONOMY.ids)).logits(seeds.TEXTS)

    return Target(seeds.lexical(), seeds.spoil_safetensors, read)


def adapter() -> Target:
    """The trained weights."""
    from models.adapter import dump_adapter, load_adapter

    model = seeds.classifier()
    return Target(dump_adapter(model), seeds.spoil_safetensors, lambda blob: load_adapter(model, blob))


def escalation() -> Target:
    """An escalation head."""
    from models.escalation_store import load

    return Target(seeds.escalation(), seeds.spoil_skops, load)


def text_of(blob: bytes) -> str:
    """Any characters, lone surrogates too."""
    if blob[:1] == b"\x01":
        return blob[1 : 1 + (len(blob) - 1) // 2 * 2].decode("utf-16-le", "surrogatepass")
    return blob.decode("utf-8", "surrogateescape")


def normalise() -> Target:
    """The normaliser and its laws."""
    from data.normalise import normalise

    def read(blob: bytes) -> None:
        text = text_of(blob)
        found = normalise(text)
        assert normalise(found.text).text == found.text
        spans = [*zip(found.starts, found.ends, strict=True)]
        assert len(spans) == len(found.text)
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert [start for start, _ in spans] == sorted(found.starts)

    return Target(TEXT.encode(), seeds.spoil_bytes, read)


def masking() -> Target:
    """The masking and its laws."""
    from data.masking import mask

    def read(blob: bytes) -> None:
        text = text_of(blob)
        found = mask(text)
        assert len(found.text) == len(text)
        assert mask(found.text).text == found.text
        assert all(new in (old, "*") for new, old in zip(found.text, text, strict=True))

    return Target(TEXT.encode(), seeds.spoil_bytes, read)


TARGETS: dict[str, Callable[[], Target]] = {
    target.__name__: target
    for target in (packaged, manifest, tokenizer, lexical, adapter, escalation, golden, normalise, masking)
}

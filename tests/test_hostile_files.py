"""Files that a stranger made: whatever is in them, only our own errors leave. `make atheris` goes on for longer."""

from __future__ import annotations

import json
import random
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from fuzz_seeds import DEEP, TAXONOMY, Chance, encoder, folder_with, lexical, manifest, tokenizer
from fuzz_targets import TARGETS
from safetensors.numpy import load, save
from test_packaged import small_file

from data.errors import BundleError, ConfigError, EncoderError, YujingError
from models.bundle import TOKENIZER, open_bundle
from models.encoder import load_encoder
from models.engine_build import load_tokens
from models.lexical import load_lexical
from models.manifest import NAME
from models.packaged import parse_packaged
from serving.drift.reference import load_reference

CASES = 150
SIZES = struct.pack("<6i", 32, 5, 0, 2, 1, 3)
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a name that is no UTF-8": lambda blob: blob.replace(b"l0.q.w", b"l0\xff\xff.w"),
    "half a block": lambda blob: blob.replace(struct.pack("<QQ", len(blob) - 18, 18), struct.pack("<QQ", 9, 17)),
    "a negative vocabulary": lambda blob: blob.replace(SIZES, struct.pack("<6i", *[-9] * 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_spoiled_file_is_an_error_of_ours_or_none(name: str) -> None:
    target, chance = TARGETS[name](), random.Random(0)
    target.read(target.valid) if name != "golden" else None  # of no bundle that exists
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(CASES):
            with suppress(YujingError):
                target.read(target.change(target.valid, Chance(chance.randint)))


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},  # panics
        {"model": {"type": "Unigram", "vocab": [["假", -1.0]], "unk_id": None}},  # breaks on what it does not know
    ],
    ids=["panic", "no unknown"],
)
def test_a_tokenizer_that_breaks_its_library_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    files = {TOKENIZER: json.dumps(json.loads(tokenizer()) | change).encode()}
    folder_with(tmp_path, files | {NAME: json.dumps(manifest(files)).encode()})
    with pytest.raises(BundleError, match=r"tokenizer\.json is no tokenizer"):
        load_tokens(open_bundle(tmp_path))


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("model.safetensors", lambda blob: blob[: len(blob) // 2]),
        ("config.json", lambda blob: blob.replace(b'"vocab_size": 16', b'"vocab_size": 17')),
        ("tokenizer.json", lambda _: b"{}"),
    ],
)
def test_a_damaged_encoder_folder_is_one_error(tmp_path: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    encoder().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(tokenizer())
    load_encoder(str(tmp_path))
    (tmp_path / name).write_bytes(spoil((tmp_path / name).read_bytes()))
    with pytest.raises(EncoderError, match="use 'packaged:e5-small-zh'"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize("form", FORMS)
def test_a_broken_encoder_file_is_told(form: str) -> None:
    spoiled = FORMS[form](small_file())
    assert spoiled != small_file()
    with pytest.raises(EncoderError, match=r"broken|ends at byte"):
        parse_packaged(spoiled)


def test_json_that_is_too_deep_is_no_manifest_and_no_reference(tmp_path: Path) -> None:
    folder_with(tmp_path, {NAME: DEEP.encode()})
    with pytest.raises(BundleError, match="no readable manifest"):
        open_bundle(tmp_path)
    with pytest.raises(ConfigError, match="name a file made by"):
        load_reference(tmp_path / NAME)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800", "a\nb", "..", ""])
def test_a_file_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    folder_with(tmp_path, {NAME: json.dumps(manifest({name: b"a"})).encode()})
    with pytest.raises(BundleError, match=r"leaves the bundle's folder|incomplete"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("ngrams", [b'["a", "a"]', b"[[], {}]", b"7", b"[" * 50_000, b"\xff", b'{"a": 1}'])
def test_ngrams_that_are_none_are_refused(ngrams: bytes) -> None:
    parts = load(lexical())
    size = 2
    parts = {
        "ngrams": np.frombuffer(ngrams, np.uint8),
        "idf": parts["idf"][:size].copy(),
        "coefficients": parts["coefficients"][:size].copy(),
        "intercept": parts["intercept"],
    }
    with pytest.raises(BundleError, match="cannot be read"):
        load_lexical(save(parts), len(TAXONOMY.ids))


def test_a_number_format_that_numpy_lacks_is_refused() -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        load_lexical(lexical().replace(b'"F16"', b'"F4" '), len(TAXONOMY.ids))

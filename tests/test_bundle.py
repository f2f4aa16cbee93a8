"""Bundles: what is saved comes back, parts are kept apart, and anything odd is refused with its reason."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from altered import Change, edit, put
from safetensors.torch import load, save

from data.errors import BundleError, EncoderError
from data.taxonomy import load_taxonomy
from models.adapter import dump_adapter, load_adapter, load_classifier
from models.bundle import ADAPTER, SHIPPED, TOKENIZER, Bundle, escalation_file, open_bundle, save_part, text_part
from models.classifier import Adapter, RiskClassifier, adapt
from models.encoder import load_encoder
from models.engine import TorchEngine
from models.engine_build import load_text_model
from models.manifest import NAME, EscalationPart, Manifest, now, read_manifest
from serving.model_card import describe_model

TAXONOMY = load_taxonomy()
COUNTS = escalation_file("counts")


@pytest.fixture
def copy(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """A bundle that a test may spoil."""
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    return folder


def classifier(folder: str, rank: int = 4) -> RiskClassifier:
    body = adapt(load_encoder(folder).model, Adapter(rank=rank, alpha=2 * rank))
    return RiskClassifier(body, 128, len(TAXONOMY.ids), len(TAXONOMY.severities))


def test_manifest_comes_back_as_it_was(tiny_bundle: Bundle) -> None:
    read = read_manifest(tiny_bundle.folder)
    assert read.files == tiny_bundle.manifest.files
    assert read.categories == TAXONOMY.ids
    assert text_part(Bundle(Path(), read)).calibration == text_part(tiny_bundle).calibration
    assert read.digest == tiny_bundle.manifest.digest
    assert json.loads(read.dumps()) == json.loads((tiny_bundle.folder / NAME).read_text(encoding="utf-8"))


def test_files_come_back_byte_by_byte(tmp_path: Path) -> None:
    blobs = {COUNTS: b"\x00\xff trees", "more.bin": b""}
    saved = save_part(tmp_path / "deep" / "bundle", TAXONOMY, blobs, escalation={"counts": EscalationPart()})
    opened = open_bundle(saved.folder)
    assert {name: opened.read(name) for name in opened.manifest.files} == blobs
    assert opened.manifest == saved.manifest
    assert [path.name for path in saved.folder.parent.iterdir()] == ["bundle"]  # no scratch is left


def test_the_digest_is_of_what_decides(tiny_bundle: Bundle) -> None:
    manifest = tiny_bundle.manifest
    part = text_part(tiny_bundle)
    assert replace(manifest, created_at=now()).digest == manifest.digest
    assert replace(manifest, text=replace(part, metrics={"a": 1})).digest == manifest.digest
    dearer = replace(part, calibration=replace(part.calibration, under_cost=part.calibration.under_cost + 1))
    assert replace(manifest, text=dearer).digest != manifest.digest
    assert replace(manifest, files={**manifest.files, COUNTS: "0" * 64}).digest != manifest.digest


def test_adapter_round_trip_keeps_the_answers(tiny_encoder: str, tiny_bundle: Bundle) -> None:
    first = load_classifier(tiny_bundle)
    blob = dump_adapter(first)
    second = load_adapter(classifier(tiny_encoder), blob)
    assert dump_adapter(second) == blob == tiny_bundle.read(ADAPTER)
    rows = [[0, 9, 8, 7, 2], [0, 5, 2]]
    for one, two in zip(TorchEngine(first, 1).logits(rows), TorchEngine(second, 1).logits(rows), strict=True):
        assert (one == two).all()


def test_rank_0_saves_the_whole_encoder(tiny_encoder: str) -> None:
    whole = classifier(tiny_encoder, 0)
    assert load(dump_adapter(whole)).keys() == dict(whole.named_parameters()).keys()
    with pytest.raises(BundleError, match="does not fit"):
        load_adapter(classifier(tiny_encoder, 4), dump_adapter(whole))


def test_a_new_head_keeps_the_text_model(copy: Path) -> None:
    before = open_bundle(copy)
    after = save_part(copy, TAXONOMY, {COUNTS: b"new"}, escalation={"counts": EscalationPart(config={"seed": 1})})
    assert after.manifest.text == before.manifest.text
    assert open_bundle(copy).read(ADAPTER) == (copy / ADAPTER).read_bytes()
    assert after.manifest.files[ADAPTER] == before.manifest.files[ADAPTER]
    assert after.read(COUNTS) == b"new"
    assert after.manifest.escalation["counts"].config == {"seed": 1}


def test_a_new_head_makes_no_calibration_younger(copy: Path) -> None:
    manifest = json.loads((copy / NAME).read_text(encoding="utf-8"))
    del manifest["text"]["calibrated_at"]  # an older bundle: its own time is that of the calibration
    manifest["created_at"] = "2026-01-01 00:00:00+00:00"
    (copy / NAME).write_text(json.dumps(manifest), encoding="utf-8")
    for seed in (1, 2):
        head = EscalationPart(config={"seed": seed})
        after = save_part(copy, TAXONOMY, {COUNTS: b"new"}, escalation={"counts": head})
        assert describe_model(after, now=datetime(2026, 2, 1, tzinfo=UTC)).calibration_age_days == 31


def test_a_new_text_model_keeps_the_heads(copy: Path) -> None:
    before = open_bundle(copy)
    part = replace(text_part(before), max_tokens=64)
    after = save_part(copy, TAXONOMY, {ADAPTER: before.read(ADAPTER)}, text=part)
    assert text_part(after).max_tokens == 64
    assert after.manifest.escalation == before.manifest.escalation
    assert after.manifest.files == before.manifest.files


def test_a_part_is_not_saved_into_a_spoilt_bundle(copy: Path) -> None:
    (copy / ADAPTER).write_bytes(b"spoilt")
    with pytest.raises(BundleError, match="tampered"):
        save_part(copy, TAXONOMY, {COUNTS: b"new"}, escalation={"counts": EscalationPart()})
    assert (copy / ADAPTER).read_bytes() == b"spoilt"


@pytest.mark.parametrize("name", [ADAPTER, TOKENIZER, COUNTS])
def test_one_changed_byte_is_refused(copy: Path, name: str) -> None:
    blob = bytearray((copy / name).read_bytes())
    blob[len(blob) // 2] ^= 1
    (copy / name).write_bytes(blob)
    with pytest.raises(BundleError, match=f"{name}: sha256 .* tampered"):
        open_bundle(copy)


def test_a_file_changed_after_opening_is_refused_when_read(copy: Path) -> None:
    bundle = open_bundle(copy)
    (copy / TOKENIZER).write_bytes(b"{}")
    with pytest.raises(BundleError, match="tampered"):
        load_text_model(bundle, "torch")


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / TOKENIZER).unlink()
    with pytest.raises(BundleError, match=f"{TOKENIZER}: No such file.*incomplete"):
        open_bundle(copy)


def test_another_taxonomy_is_refused(copy: Path) -> None:
    foreign = replace(TAXONOMY, categories=TAXONOMY.categories[:-1])
    with pytest.raises(BundleError, match="load the taxonomy that it was trained with"):
        open_bundle(copy, foreign)
    with pytest.raises(BundleError, match="categories"):
        save_part(copy, foreign, {COUNTS: b""}, escalation={"counts": EscalationPart()})


@pytest.mark.parametrize("name", ["../outside.bin", "/etc/hostname", "deep/file.bin", "..", ".", ""])
def test_a_file_name_that_leaves_the_folder_is_refused(copy: Path, name: str) -> None:
    blob = b"secret"
    (copy.parent / "outside.bin").write_bytes(blob)
    edit(copy, lambda raw: raw["files"].update({name: hashlib.sha256(blob).hexdigest()}))
    with pytest.raises(BundleError, match=r"leaves the bundle's folder|incomplete"):
        open_bundle(copy)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda raw: raw.update(format=3), "bundle format 3, this version reads 1 and 2"),
        (lambda raw: raw.pop("format"), "bundle format None"),
        (lambda raw: raw.pop("taxonomy_sha256"), "taxonomy_sha256"),
        (lambda raw: raw["categories"].reverse(), "made for the categories .*; the packaged taxonomy has none, "),
        (lambda raw: raw["categories"].pop(), "made for the categories "),
        (lambda raw: raw["text"].pop("encoder"), r"text\.encoder"),
        (lambda raw: raw["text"]["calibration"].update(under_cost="dear"), r"text\.calibration\.under_cost"),
        (lambda raw: raw.update(files=[]), "files"),
        (lambda raw: raw["text"]["calibration"].update(category_temperature=0), "category_temperature"),
        (lambda raw: raw["text"]["calibration"].update(severity_temperature=-1), "severity_temperature"),
        (lambda raw: raw["text"]["calibration"].update(review_doubt=float("nan")), "review_doubt"),
        (lambda raw: raw["text"]["calibration"].update(miss_cost=0), "miss_cost"),
        (lambda raw: raw["text"]["calibration"].update(lexical_weight=1e308), "lexical_weight"),
        (lambda raw: raw["text"]["calibration"].update(lexical_weight=-0.5), "lexical_weight"),
        (lambda raw: raw["text"]["calibration"].update(category_temperature=1e-320), "category_temperature"),
        (lambda raw: raw["text"]["calibration"].update(category_bias=[1e308] * 17), r"category_bias\[0\]"),
        (
            lambda raw: raw["text"]["calibration"].update(category_bias=[0.1] * 16),
            "category_bias: 16, .* 17 categories",
        ),
        (lambda raw: raw["text"]["first_stage"].update(severity_logits=[]), "severity_logits: 0, .* 5 ranks"),
        (lambda raw: raw["text"]["first_stage"].update(none_weights=[1.0]), "none_weights: 1, .* 17 categories"),
        (lambda raw: raw["text"].update(ranks=4), "ranks: 4, .* 5 ranks"),
        (lambda raw: raw["text"].update(max_tokens=513), "max_tokens"),
        (lambda raw: raw["text"].update(max_tokens=0), "max_tokens"),
        (lambda raw: raw["text"].update(adapter_rank=10**9), "adapter_rank"),
        (lambda raw: raw["text"].update(pool_after=-1), "pool_after"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_place(copy: Path, change: Change, told: str) -> None:
    edit(copy, change)
    with pytest.raises(BundleError, match=told):
        open_bundle(copy)


@pytest.mark.parametrize("text", ["", "[]", "not json", '"bundle"', "\udcff"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BundleError, match=r"manifest|format None"):
        open_bundle(tmp_path)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no readable manifest"):
        open_bundle(tmp_path / "nowhere")


def test_an_adapter_of_another_shape_is_refused(copy: Path) -> None:
    weights = load((copy / ADAPTER).read_bytes())
    weights["category.weight"] = torch.zeros(len(TAXONOMY.ids) - 1, 128)
    bundle = open_bundle(put(copy, ADAPTER, save(weights)))
    with pytest.raises(BundleError, match=r"does not fit the classifier: .*category\.weight"):
        load_classifier(bundle)


def test_an_adapter_that_lacks_a_weight_or_has_one_more_is_refused(copy: Path) -> None:
    weights = load((copy / ADAPTER).read_bytes())
    bias = weights.pop("severity.bias")
    with pytest.raises(BundleError, match=r"severity\.bias"):
        load_classifier(open_bundle(put(copy, ADAPTER, save(weights))))
    with pytest.raises(BundleError, match="stowaway"):
        load_classifier(
            open_bundle(put(copy, ADAPTER, save({**weights, "severity.bias": bias, "stowaway": bias.clone()})))
        )


def test_an_adapter_that_is_no_safetensors_file_is_refused(copy: Path) -> None:
    with pytest.raises(BundleError, match="no safetensors file"):
        load_classifier(open_bundle(put(copy, ADAPTER, b"pickle")))


def test_another_base_encoder_is_refused_by_its_hash(copy: Path) -> None:
    edit(copy, lambda raw: raw["text"].update(encoder_sha256="0" * 64))
    with pytest.raises(BundleError, match=r"base encoder .* has sha256 .* trained on 0000"):
        load_classifier(open_bundle(copy))


def test_a_base_encoder_that_is_gone_is_one_clear_error(copy: Path) -> None:
    edit(copy, lambda raw: raw["text"].update(encoder="./no-such/encoder"))
    with pytest.raises(EncoderError, match="no-such"):
        load_classifier(open_bundle(copy))


def test_a_file_that_the_manifest_does_not_list_is_not_read(copy: Path) -> None:
    (copy / "extra.bin").write_bytes(b"")
    with pytest.raises(BundleError, match=r"lists no extra\.bin"):
        open_bundle(copy).read("extra.bin")


def test_a_bundle_without_text_says_how_to_get_one() -> None:
    manifest = Manifest(created_at=now(), taxonomy_sha256="", categories=())
    with pytest.raises(BundleError, match="yujing train text"):
        text_part(Bundle(SHIPPED, manifest))

"""A bundle whose encoder is elsewhere: refused before the start, unless its engine is built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from altered import edit

from data.errors import ConfigError
from models.bundle import Bundle, open_bundle
from models.cache import FP32, engine_files, engine_path
from models.encoder_place import PACKAGED, check_encoder, is_at_hand
from models.engine_key import engine_key
from models.sums import write_sum
from serving.scoring import check_bundle
from serving.settings import Settings

NAME = "nobody/has-this-bert"
KEY = "0123456789abcdef" * 4


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hugging Face's cache and ours, both empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "hub"


def keep(hub: Path, *files: str) -> None:
    kept = hub / "models--nobody--has-this-bert"
    (kept / "refs").mkdir(parents=True, exist_ok=True)
    (kept / "refs" / "main").write_text("abc")
    (kept / "snapshots" / "abc").mkdir(parents=True, exist_ok=True)
    for file in files:
        (kept / "snapshots" / "abc" / file).touch()


def built(key: str, *names: str) -> None:
    for name in names:
        path = engine_path(key, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"graph")
        write_sum(path)


@pytest.mark.parametrize("name", [NAME, "/no/such/folder", "runs/encoder", "no name", ""])
def test_a_bundle_without_its_encoder_is_refused_before_the_start(
    name: str, hub: Path, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    edit(tmp_path / "bundle", lambda raw: raw["text"].update(encoder=name))
    settings = Settings(bundle=tmp_path / "bundle")
    with pytest.raises(ConfigError, match=r"encoder '.*' is not on this machine, .*: build it where .* YUJING_CACHE"):
        check_bundle(settings)
    built(engine_key(open_bundle(tmp_path / "bundle")), *engine_files("int8"))
    check_bundle(settings)


def test_a_folder_with_the_encoder_will_do(hub: Path, tiny_bundle: Bundle) -> None:
    check_bundle(Settings(bundle=tiny_bundle.folder))


def test_the_hubs_cache_will_do_once_it_has_the_weights(hub: Path, tmp_path: Path) -> None:
    for files in ((), ("config.json",)):
        keep(hub, *files)
        assert not is_at_hand(NAME, tmp_path)
    keep(hub, "config.json", "pytorch_model.bin")
    assert is_at_hand(NAME, tmp_path)


def test_a_relative_folder_is_meant_from_where_the_service_runs(tiny_encoder: str, hub: Path) -> None:
    folder = Path(tiny_encoder)
    assert is_at_hand(folder.name, folder.parent)
    assert not is_at_hand(folder.name, folder)


def test_the_graph_that_engines_are_made_of_will_do_but_for_torch(hub: Path, tmp_path: Path) -> None:
    built(KEY, FP32)
    for engine in ("int8", "bf16", "onnx"):
        check_encoder(NAME, KEY, engine, tmp_path)
    with pytest.raises(ConfigError, match="its engine torch is not built"):
        check_encoder(NAME, KEY, "torch", tmp_path)
    check_encoder(PACKAGED, KEY, "torch", tmp_path)

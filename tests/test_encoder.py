"""The base encoder: the packaged one is a sane Chinese BERT; names that cannot be resolved are clear errors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from time import sleep

import pytest
import torch

from data.errors import ConfigError, EncoderError
from models import encoder
from models.encoder import Encoder, load_encoder, weights_sha256
from models.pooling import mean_pool


@pytest.fixture(scope="module")
def packaged() -> Encoder:
    return load_encoder()


def similarity(encoder: Encoder, texts: list[str]) -> torch.Tensor:
    batch = encoder.tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = encoder.model(batch["input_ids"], batch["attention_mask"]).last_hidden_state
    unit = torch.nn.functional.normalize(mean_pool(hidden, batch["attention_mask"]), dim=1)
    return unit @ unit.T


def test_related_sentences_are_closer_than_unrelated(packaged: Encoder) -> None:
    found = similarity(packaged, ["这家店卖的是假货，要投诉", "商家售假，我要举报维权", "今天天气真好适合出门散步"])
    assert found[0, 1] > 0.92  # 0.951 when written
    assert found[0, 2] < 0.87  # 0.826
    assert found[1, 2] < 0.87


def test_vocabulary_is_trimmed_to_chinese(packaged: Encoder) -> None:
    vocabulary = packaged.tokenizer.get_vocab()
    assert 20_000 < len(vocabulary) < 30_000
    assert not any("а" <= char <= "я" for piece in vocabulary for char in piece)
    assert packaged.tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"]) == [0, 1, 2, 3]


def test_emoji_and_digits_survive_tokenisation(packaged: Encoder) -> None:
    pieces = packaged.tokenizer.tokenize("卖假货😡，12315")
    assert "".join(pieces).replace("▁", "") == "卖假货😡,12315"


def test_hash_sees_one_changed_weight(tiny_encoder: str) -> None:
    model = load_encoder(tiny_encoder).model
    before = weights_sha256(model)
    with torch.no_grad():
        next(model.parameters())[0, 0] += 1e-3
    assert weights_sha256(model) != before


class _Saved:
    """Stands for a model or a tokenizer; writes a file, or finds the disk full."""

    def __init__(self, full: bool = False) -> None:
        self.full = full

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{id(self)}").touch()
        if self.full:
            raise OSError("no space left on device")


@pytest.mark.parametrize("full", [False, True])
def test_the_cached_folder_is_whole_and_for_all_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    monkeypatch.setattr(encoder, "read_packaged", lambda: None)
    monkeypatch.setattr(encoder, "build_packaged", lambda _: (_Saved(), _Saved(full)))
    with pytest.raises(ConfigError, match=r"no space.*: set YUJING_CACHE") if full else nullcontext():
        encoder._packaged_folder()
    (tmp_path / "usual").mkdir()
    found = [path for path in (tmp_path / "encoders").iterdir() if path.suffix != ".lock"]
    assert len(found) == (0 if full else 1)
    for folder in found:
        assert folder.stat().st_mode == (tmp_path / "usual").stat().st_mode  # not private, as a scratch folder is
        assert len([*folder.glob("*.crc32")]) == 2


def test_of_processes_that_build_at_the_same_time_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other waits, and reads what the first one made."""
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    monkeypatch.setattr(encoder, "read_packaged", lambda: sleep(0.05))
    made: list[_Saved] = []
    monkeypatch.setattr(encoder, "build_packaged", lambda _: made.extend((_Saved(), _Saved())) or made[-2:])  # type: ignore[func-returns-value]
    with ThreadPoolExecutor(4) as pool:
        [folder] = {*pool.map(lambda _: encoder._packaged_folder(), range(4))}
    assert len(made) == 2
    assert len([*folder.iterdir()]) == 4


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"x"), lambda file: file.unlink()])
def test_a_folder_that_the_disk_has_damaged_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    """A flipped bit was blamed on the bundle, or trained on unsaid."""
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    monkeypatch.setattr(encoder, "read_packaged", lambda: None)
    made: list[_Saved] = []
    monkeypatch.setattr(encoder, "build_packaged", lambda _: made.extend((_Saved(), _Saved())) or made[-2:])  # type: ignore[func-returns-value]
    folder = encoder._packaged_folder()
    assert encoder._packaged_folder() == folder
    assert len(made) == 2
    damage(next(folder.glob("*.crc32")))
    assert encoder._packaged_folder() == folder
    assert len(made) == 4
    damage(next(file for file in folder.iterdir() if file.suffix != ".crc32"))
    encoder._packaged_folder()
    assert encoder._is_whole(folder)


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"cannot be kept in .*file: .*: set YUJING_CACHE to a folder"):
        load_encoder()


def test_unknown_name_is_one_clear_error() -> None:
    with pytest.raises(EncoderError, match="no-such"):
        load_encoder("./no-such/encoder")


def test_an_encoder_is_kept_and_loaded_without_progress_bars(
    tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    tiny = load_encoder(tiny_encoder)
    monkeypatch.setattr(encoder, "read_packaged", lambda: None)
    monkeypatch.setattr(encoder, "build_packaged", lambda _: (tiny.model, tiny.tokenizer))
    assert load_encoder().sha256 == tiny.sha256
    assert capsys.readouterr().err == ""

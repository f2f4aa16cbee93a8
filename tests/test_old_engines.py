"""Engines of the cache that are too many: the ones that were used longest ago go, those in use and all else stay."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from models import engine_build, old_engines
from models.bundle import Bundle
from models.cache import SCRATCH, engine_path
from models.engine import Engine, OnnxEngine
from models.engine_build import build_onnx, int8_folder, load_text_model, onnx_path
from models.engine_key import engine_key
from models.old_engines import make_room, mark_used
from models.openvino_engine import OpenVinoEngine
from models.sums import sum_path

KEYS = [f"{number:016x}" for number in range(6)]
ROWS = [[0, 5, 6, 2], [0, 7, 2]]


class Idle:
    """An engine that nobody asks."""

    def logits(self, rows: object) -> tuple[object, object]:
        raise NotImplementedError


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six engines of all kinds, each used an hour after the one before, and things of others."""
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    monkeypatch.setattr(old_engines, "KEPT", 3)
    folder = tmp_path / "engines"
    for number, key in enumerate(KEYS):
        for name in ("fp32.onnx", "fp32.onnx.crc32", "int8-rows.onnx", "int8-weights/model.xml", "used"):
            (path := engine_path(key, name)).parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (blob := folder / "compiled" / f"{key}-fp32-2" / "1.blob").parent.mkdir(parents=True)
        blob.touch()
        for path in [*folder.glob(f"{key}-*"), blob.parent]:
            os.utime(path, (number * 3600, number * 3600))
    for name in ("notes.txt", f"{KEYS[0]}-notes", "00-fp32.onnx", f"{KEYS[0][:-1]}g-fp32.onnx", "building.lock"):
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    return folder


def there(engines: Path) -> list[int]:
    """Numbers of the engines that are there."""
    return [number for number, key in enumerate(KEYS) if (engines / f"{key}-fp32.onnx").exists()]


def test_before_a_build_those_that_were_used_longest_ago_go_and_nothing_else(engines: Path) -> None:
    make_room("f" * 64)
    gone = [path.name for key in KEYS[:4] for path in engines.rglob(f"{key}-*")]
    assert gone == [f"{KEYS[0]}-notes"]
    assert all(len([*engines.rglob(f"{key}-*")]) == 6 for key in KEYS[4:])
    kept = {"notes.txt", f"{KEYS[0]}-notes", "00-fp32.onnx", f"{KEYS[0][:-1]}g-fp32.onnx", "building.lock", "compiled"}
    assert {path.name for path in engines.iterdir() if path.name[:16] not in KEYS[4:]} == kept


def test_the_one_that_is_built_is_no_old_one(engines: Path) -> None:
    make_room(KEYS[0])
    assert there(engines) == [0, 4, 5]


def test_one_that_was_used_stays_and_one_in_use_does_as_long_as_it_is(engines: Path) -> None:
    used, engine = Idle(), Idle()
    mark_used(used, KEYS[1])
    mark_used(engine, KEYS[0])
    del used
    os.utime(engines / f"{KEYS[0]}-used", (0, 0))  # long ago, by a process that runs on
    gc.collect()
    make_room("f" * 64)
    assert there(engines) == [0, 1, 5]
    del engine
    gc.collect()
    make_room("f" * 64)
    assert there(engines) == [1, 5]


def test_a_cache_that_cannot_be_written_hinders_nobody(engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refused)
    monkeypatch.setattr(old_engines, "TemporaryDirectory", refused)
    mark_used(Idle(), KEYS[0])
    make_room("f" * 64)
    assert there(engines) == [0, 1, 2, 3, 4, 5]


def test_what_is_removed_but_not_yet_from_the_disk_is_known_to_the_sweep(
    engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill: the names are away, the bytes wait for `clear_left`."""

    def killed(prefix: str, dir: Path, **_: object) -> AbstractContextManager[str]:
        return nullcontext(mkdtemp(prefix=prefix, dir=dir))

    monkeypatch.setattr(old_engines, "TemporaryDirectory", killed)
    make_room("f" * 64)
    scratch = [path for path in engines.iterdir() if path.name.startswith(".")]
    assert len(scratch) == 4
    assert all(SCRATCH.fullmatch(path.name) for path in scratch)


def test_a_build_makes_room_and_a_load_counts_as_a_use(
    tiny_bundle: Bundle, engines: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bentoml.yujing")
    model = load_text_model(tiny_bundle, "onnx", threads=1)
    assert there(engines) == [4, 5]
    assert engine_path(engine_key(tiny_bundle), "used").exists()
    assert sum(f"is removed from {engines}" in told for told in caplog.messages) == 4
    os.utime(engine_path(engine_key(tiny_bundle), "used"), (0, 0))
    load_text_model(tiny_bundle, "onnx", threads=1)
    assert engine_path(engine_key(tiny_bundle), "used").stat().st_mtime > 0
    assert len(model.engine.logits(ROWS)[0]) == 2


def test_another_head_builds_no_engine(tiny_bundle: Bundle, engines: Path) -> None:
    built = build_onnx(tiny_bundle).stat().st_mtime_ns
    manifest = replace(tiny_bundle.manifest, files={**tiny_bundle.manifest.files, "escalation-counts.skops": "0" * 64})
    assert build_onnx(replace(tiny_bundle, manifest=manifest)).stat().st_mtime_ns == built


@pytest.mark.parametrize("name", ["int8", "bf16", "onnx"])
def test_an_engine_that_goes_while_it_is_opened_is_built_anew(
    name: str, tiny_bundle: Bundle, engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has found it to be old, between this one's look and its opening."""
    monkeypatch.setattr(engine_build, "has_vnni", lambda: True)
    load_text_model(tiny_bundle, name, threads=1)
    once = [onnx_path(tiny_bundle), int8_folder(tiny_bundle)]

    def losing(made: type) -> Callable[..., Engine]:
        def opened(path: Path, *given: int) -> Engine:
            while once:
                lost = once.pop()
                shutil.rmtree(lost) if lost.is_dir() else lost.unlink(missing_ok=True)
                sum_path(lost).unlink(missing_ok=True)
            return made(path, *given)  # type: ignore[no-any-return]

        return opened

    monkeypatch.setattr(engine_build, "OnnxEngine", losing(OnnxEngine))
    monkeypatch.setattr(engine_build, "OpenVinoEngine", losing(OpenVinoEngine))
    assert len(load_text_model(tiny_bundle, name, threads=1).engine.logits(ROWS)[0]) == 2
    assert not once


def test_files_that_go_while_they_are_listed_are_no_error_either(
    tiny_bundle: Bundle, engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [FileNotFoundError(2, "No such file or directory")]

    def opened(path: Path, *given: int) -> Engine:
        if failing:
            raise failing.pop()
        return OnnxEngine(path, *given)

    monkeypatch.setattr(engine_build, "OnnxEngine", opened)
    assert len(load_text_model(tiny_bundle, "onnx", threads=1).engine.logits(ROWS)[0]) == 2


def test_an_engine_that_is_removed_answers_on(tiny_bundle: Bundle, engines: Path) -> None:
    engine = load_text_model(tiny_bundle, "int8", threads=1).engine
    before = engine.logits(ROWS)[0]
    for path in engines.glob(f"{engine_key(tiny_bundle)[:16]}-*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert (engine.logits(ROWS)[0] == before).all()
    assert (engine.logits([[0, 9, 9, 9, 2]])[0].shape) == (1, len(tiny_bundle.manifest.categories))

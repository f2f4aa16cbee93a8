"""The cache: where the environment says, and refused before a start where an engine is needed and cannot be built."""

from __future__ import annotations

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.files import whole
from models import cache
from models.bundle import Bundle, open_bundle
from models.cache import cache_root, check_cache, engine_files, engine_path
from models.cpu import has_vnni
from models.engine_build import build_onnx, int8_folder, int8_rows_path, load_text_model, onnx_path
from models.engine_key import engine_key
from models.sums import sum_path, write_sum
from serving.scoring import check_bundle
from serving.settings import Settings

KEY = "0123456789abcdef" * 4


def homeless() -> Path:
    raise RuntimeError("Could not determine home directory.")


def read_only(prefix: str, dir: Path) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


def test_a_user_without_a_home_needs_none_where_a_cache_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setenv("YUJING_CACHE", "/var/cache/yujing")
    assert cache_root() == Path("/var/cache/yujing")
    monkeypatch.delenv("YUJING_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert cache_root() == Path("/var/cache/yujing")
    monkeypatch.delenv("XDG_CACHE_HOME")
    told = r"home directory.*: set YUJING_CACHE to a folder that can be written"
    with pytest.raises(ConfigError, match=told):
        check_cache(KEY, "int8")
    with pytest.raises(ConfigError, match=told):  # of who does not check before
        load_text_model(open_bundle(None))


def test_a_place_that_cannot_be_written_is_refused_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"no engine can be built .*: set YUJING_CACHE to a folder"):
        check_bundle(Settings())


@pytest.mark.parametrize("vnni", [True, False])
def test_a_read_only_cache_will_do_where_the_engine_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vnni: bool
) -> None:
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    check_cache(KEY, "int8")
    assert not [*(tmp_path / "engines").iterdir()]  # it leaves nothing behind
    monkeypatch.setattr(cache, "TemporaryDirectory", read_only)
    monkeypatch.setattr(cache, "has_vnni", lambda: vnni)
    with pytest.raises(ConfigError, match="Read-only file system"):
        check_cache(KEY, "int8")
    engine_path(KEY, "int8-weights").mkdir()
    for name in ("fp32.onnx", "int8-weights/model.xml", "int8-weights/model.bin"):
        engine_path(KEY, name).write_bytes(b"graph")
        write_sum(engine_path(KEY, name))
    check_cache(KEY, "onnx")
    with nullcontext() if vnni else pytest.raises(ConfigError, match="Read-only"):  # another kind of CPU filled it
        check_cache(KEY, "int8")
    with pytest.raises(ConfigError, match="Read-only"):
        check_cache(KEY, "torch")
    engine_path(KEY, "int8-weights/model.bin").write_bytes(b"grap")
    with pytest.raises(ConfigError, match="Read-only"):  # it would be built anew
        check_cache(KEY, "int8")


def test_a_scratch_folder_is_named_as_the_sweep_knows(tmp_path: Path) -> None:
    with whole(tmp_path / "engine") as part:
        assert cache.SCRATCH.fullmatch(part.parent.name)


def test_engines_lie_where_the_check_looks() -> None:
    bundle = open_bundle(None)
    key = engine_key(bundle)
    assert [onnx_path(bundle)] == [engine_path(key, name) for name in engine_files("onnx")]
    int8 = {int8_folder(bundle) / "model.xml", int8_folder(bundle) / "model.bin"}
    wanted = int8 if has_vnni() else {int8_rows_path(bundle)}
    assert {engine_path(key, name) for name in engine_files("int8")} == wanted


def test_a_build_removes_what_killed_ones_left_and_nothing_else(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    engines, old = tmp_path / "engines", time.time() - 2 * cache.ABANDONED
    for name in (".abcd_123", ".12345678", ".nfs0000000000", "abcdefgh", ".abcdefgi"):
        (engines / name).mkdir(parents=True)
        (engines / name / "weights").touch()
        os.utime(engines / name, (old, old) if name != ".abcdefgi" else None)  # the last is under way
    built = build_onnx(tiny_bundle)
    kept = {".nfs0000000000", "abcdefgh", ".abcdefgi", "building.lock"}
    assert {path.name for path in engines.iterdir()} == {*kept, built.name, sum_path(built).name}


def test_of_processes_that_build_an_engine_at_the_same_time_one_does(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph that had its name and not yet its sum passed for a damaged one, and was taken away."""
    made = list[Path]()

    def slow(_: object, path: Path) -> Path:
        made.append(path)
        path.write_bytes(b"graph")
        time.sleep(0.1)
        return path

    monkeypatch.setenv("YUJING_CACHE", str(tmp_path))
    monkeypatch.setattr("models.export.export_onnx", slow)
    with ThreadPoolExecutor(4) as pool:
        assert {*pool.map(lambda _: build_onnx(tiny_bundle), range(4))} == {onnx_path(tiny_bundle)}
    assert made == [onnx_path(tiny_bundle)]

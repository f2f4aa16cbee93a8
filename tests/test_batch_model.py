"""What the answers of a batch run depend on: a run goes on only where all of it is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from shutil import copytree

import pytest

from data.errors import ConfigError
from models import cpu
from models.bundle import Bundle
from serving.batch import model
from serving.batch.model import LoadScorer, code_digest, model_identity
from serving.settings import Settings


@pytest.fixture(autouse=True)
def _unread() -> Iterator[None]:
    """A test that changes code leaves no digest of it behind."""
    yield
    code_digest.cache_clear()


@pytest.fixture
def settings(tiny_bundle: Bundle) -> Settings:
    return Settings(bundle=tiny_bundle.folder)


def test_equal_settings_are_one_identity(settings: Settings) -> None:
    one, two = (model_identity(LoadScorer(given)) for given in (settings, replace(settings, threads=2)))
    assert one == two


@pytest.mark.parametrize("change", [{"engine": "onnx"}, {"calibration_days": 30}, {"calibration_days": 31}])
def test_a_setting_that_shows_in_the_answers_is_part_of_the_identity(
    settings: Settings, change: dict[str, object]
) -> None:
    changed = Settings.from_env({}, bundle=settings.bundle, **change)
    assert model_identity(LoadScorer(changed)) != model_identity(LoadScorer(settings))
    assert model_identity(LoadScorer(changed)) != model_identity(LoadScorer(replace(changed, calibration_days=32)))


def test_so_are_the_watch_words(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("某牌", encoding="utf-8")
    watching = replace(settings, watch_words=tmp_path / "words.txt")
    assert model_identity(LoadScorer(watching)) != model_identity(LoadScorer(settings))


def test_so_is_the_code(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout the version stays what it was after `git pull`."""
    before, rooms = model_identity(LoadScorer(settings)), []
    for room in model.ROOMS:
        rooms.append(Path(copytree(room, tmp_path / room.name, ignore=lambda _, names: {"bundle"} & {*names})))
    monkeypatch.setattr(model, "ROOMS", tuple(rooms))
    assert model_identity(LoadScorer(settings)) == before  # wherever it lies
    for number, path in enumerate(("data/normalise.py", "models/scorer.py", "serving/batch/rows.py")):
        append(tmp_path / path, f"\n# {number}\n")
        code_digest.cache_clear()
        after = model_identity(LoadScorer(settings))
        assert {name for name in before if before[name] != after[name]} == {"code"}
        before = after


def test_only_code_is_code_and_its_name_counts(tmp_path: Path) -> None:
    seen = []
    for name in ("a/one.py", "a/notes.md", "a/__pycache__/one.pyc", "a/b/two.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        seen.append(digest(tmp_path))
    (tmp_path / "a/.#one.py").symlink_to("nowhere")  # as an editor leaves it
    seen.append(digest(tmp_path))
    (tmp_path / "a/one.py").rename(tmp_path / "a/uno.py")
    seen.append(digest(tmp_path))
    assert [one == other for one, other in pairwise(seen)] == [True, True, False, True, False]


def digest(folder: Path) -> str:
    code_digest.cache_clear()
    return code_digest((folder / "a",))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_machine_with_another_model_is_refused(settings: Settings) -> None:
    load = LoadScorer(settings)
    expected = model_identity(load)
    assert replace(load, expected=tuple(expected.items()))().model_id == load().model_id
    with pytest.raises(ConfigError, match=r"^another precision, tables than where the run was begun"):
        replace(load, expected=tuple((expected | {"precision": "f8", "tables": ""}).items()))()


@pytest.mark.parametrize("what", ["has_bf16", "has_vnni"])
def test_a_cpu_of_other_arithmetic_is_another_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    found = []
    for has in (True, False):
        monkeypatch.setattr(cpu, what, lambda has=has: has)
        found.append(model_identity(LoadScorer(settings)))
    assert found[0] != found[1]

"""What the answers of a batch run depend on: a run goes on only where all of it is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import ConfigError
from models import cpu
from models.bundle import Bundle
from serving.batch.model import LoadScorer, model_identity
from serving.settings import Settings


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

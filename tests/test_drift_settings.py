"""Settings of the drift monitor: what the environment says, and how an unusable value is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import ConfigError
from serving.drift.reference import MIN_POSTS
from serving.drift.settings import DriftSettings


def test_defaults_and_environment(tmp_path: Path) -> None:
    assert DriftSettings.from_env({}) == DriftSettings()
    settings = DriftSettings(reference=tmp_path / "reference.json", window=400)
    assert DriftSettings.from_env({**settings.to_env(), "YUJING_DRIFT_WINDOW": "400"}) == settings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (str(MIN_POSTS - 1), f"greater than or equal to {MIN_POSTS}"),
        ("100001", "less than or equal to 100000"),
        ("two", "valid integer"),
    ],
)
def test_an_unusable_value_is_named_with_its_variable_and_what_was_expected(value: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"^YUJING_DRIFT_WINDOW is '{value}': .*{expected}"):
        DriftSettings.from_env({"YUJING_DRIFT_WINDOW": value})

"""Settings of the store: nothing is kept unasked, no password is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.taxonomy import load_taxonomy
from serving.store.memory import Memory
from serving.store.settings import StoreSettings


def test_nothing_is_stored_unless_a_folder_is_named(tmp_path: Path) -> None:
    assert StoreSettings.from_env({}) is None
    assert StoreSettings.from_env({"DATABASE_URL": "postgresql://x/y"}) is None
    assert StoreSettings.from_env({"YUJING_STORE": str(tmp_path)}) == StoreSettings(folder=tmp_path)
    env = {"YUJING_STORE": "a", "YUJING_STORE_TEXT": "none", "YUJING_STORE_DAYS": "7"}
    assert StoreSettings.from_env(env, folder=tmp_path) == StoreSettings(folder=tmp_path, keep_text="none", days=7)


@pytest.mark.parametrize(
    "env",
    [
        {"YUJING_STORE_TEXT": "all"},
        {"YUJING_STORE_DAYS": "-1"},
        {"YUJING_STORE_QUEUE": "0"},
        {"DATABASE_URL": "mysql://user:geheim@host/name"},
        {"DATABASE_URL": "geheim"},
    ],
)
def test_an_unusable_setting_is_named_without_its_password(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        StoreSettings.from_env({"YUJING_STORE": str(tmp_path), **env})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_gets_one_driver(scheme: str, tmp_path: Path) -> None:
    url = StoreSettings(folder=tmp_path, url=f"{scheme}://u:p@h:5433/d").database()
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h:5433/d"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(ConfigError, match="name a folder that can be written"):
        Memory(StoreSettings(folder=tmp_path / "file"), load_taxonomy())

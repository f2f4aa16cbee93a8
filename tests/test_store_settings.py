"""Settings of the store: nothing is kept unasked, no password is shown."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.taxonomy import load_taxonomy
from serving.recorder_env import recorder_env
from serving.store.memory import Memory
from serving.store.settings import StoreSettings


def test_nothing_is_stored_unless_a_folder_is_named(tmp_path: Path) -> None:
    assert StoreSettings.from_env({}) is None
    assert StoreSettings.from_env({"DATABASE_URL": "postgresql://x/y"}) is None
    assert StoreSettings.from_env({"YUJING_STORE": str(tmp_path)}) == StoreSettings(folder=tmp_path)
    env = {"YUJING_STORE": "a", "YUJING_STORE_TEXT": "none", "YUJING_STORE_DAYS": "7"}
    assert StoreSettings.from_env(env, folder=tmp_path) == StoreSettings(folder=tmp_path, keep_text="none", days=7)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("YUJING_STORE_TEXT", "all", "'masked' or 'none'"),
        ("YUJING_STORE_DAYS", "-1", "greater than or equal to 0"),
        ("YUJING_STORE_DAYS", "36501", "less than or equal to 36500"),
        ("YUJING_STORE_DAYS", "a week", "valid integer"),
        ("YUJING_STORE_QUEUE", "0", "greater than or equal to 1"),
        ("YUJING_STORE_SPOOL", "1.5", "valid integer"),
    ],
)
def test_an_unusable_value_is_named_with_its_variable_and_what_was_expected(
    name: str, value: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        StoreSettings.from_env({"YUJING_STORE": str(tmp_path), name: value})
    assert str(caught.value).startswith(f"{name} is '{value}': ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://user:geheim@host/name", "names 'mysql': give one of sqlite, postgresql, postgres"),
        ("geheim", "is no address: give postgresql://user:password@host:5432/name"),
        ("postgresql://user:geheim@host:port/name", "is no address"),
        ("postgresql://user:ge@heim:x@host/name", "is no address"),  # an @ that is not written as %40
        ("postgresql://user:ge@heim@host/name", "is no address.* with %40 for an @ of the password"),
        ("postgresql://user:geheim@host:65536/name", "names the port 65536: give one of 1 to 65535"),
        ("postgresql://user:geheim@host:0/name", "names the port 0: "),
        ("sqlite://", "names no file: give sqlite:///FILE"),
        ("sqlite:///:memory:", "names no file: give sqlite:///FILE"),
    ],
)
def test_an_unusable_address_is_told_without_its_password(url: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^DATABASE_URL.*{told}") as caught:
        StoreSettings.from_env({"YUJING_STORE": str(tmp_path), "DATABASE_URL": url})
    assert "heim" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_gets_one_driver(scheme: str, tmp_path: Path) -> None:
    url = StoreSettings(folder=tmp_path, url=f"{scheme}://u:p@h:5433/d").database()
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h:5433/d"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(json.dumps({}))
    told = "^YUJING_STORE or --store: .*file: File exists: name a folder that can be written"
    with pytest.raises(ConfigError, match=told):
        Memory(StoreSettings(folder=tmp_path / "file"), load_taxonomy())
    with pytest.raises(ConfigError, match=told):  # before the start: the worker would be started for ever
        recorder_env(None, tmp_path / "file")


def test_a_database_without_its_driver_is_refused_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:geheim@host/name")
    with pytest.raises(ConfigError, match=r"^postgresql needs a driver") as caught:
        recorder_env(None, tmp_path)
    assert "geheim" not in str(caught.value)


def test_a_good_folder_is_made_and_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert recorder_env(None, Path("new/answers")) == {"YUJING_STORE": str(tmp_path / "new" / "answers")}
    assert list((tmp_path / "new" / "answers").iterdir()) == []

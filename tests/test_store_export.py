"""Corrections as training data, from a store that is there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from stored import PHONE, TEXT, answer, right, rows
from typer.testing import CliRunner

from data.errors import BundleError, ConfigError, InputError
from data.loaders import load_examples
from data.taxonomy import load_taxonomy
from serving.cli import app
from serving.store.export import export_corrections
from serving.store.memory import Memory
from serving.store.settings import StoreSettings, require

pytest_plugins = ["store_fixtures"]


def test_the_last_correction_teaches(memory: Memory, settings: StoreSettings, tmp_path: Path) -> None:
    twice, only_rank, harmless, calm, open_, outcome, in_turn, revoked = answer(
        memory, TEXT, "客服骂人", "挺好", "很好", "退款", "不相关", "假货", "没事了"
    )
    memory.correct(right(in_turn, category="counterfeit_ip"))
    memory.correct(right(in_turn, category=None, severity=3))
    memory.correct(right(revoked, category="counterfeit_ip", severity=2))
    memory.correct(right(revoked, category="none"))  # what it contradicts does not count
    memory.correct(right(twice, category="product_quality"))
    memory.correct(right(twice, category="false_advertising", severity=2))
    memory.correct(right(only_rank, category=None, severity=3))
    memory.correct(right(harmless, category="none"))
    memory.correct(right(calm, category=None, severity=0))
    memory.correct(right(open_, category="other"))
    memory.correct(right(open_, category=None, escalated=False))  # says nothing about the category
    memory.correct(right(outcome, category=None, escalated=True))
    target = tmp_path / "out.jsonl"
    assert export_corrections(settings, target, "none").written == 7
    loaded = load_examples([target], load_taxonomy())
    assert loaded.bad == []
    found = {row.id: (row.category, row.severity, row.source) for row in loaded.rows}
    assert found == {
        twice: ("false_advertising", 2, "feedback"),
        only_rank: (None, 3, "feedback"),
        harmless: ("none", 0, "feedback"),
        calm: ("none", 0, "feedback"),
        open_: ("other", None, "feedback"),
        in_turn: ("counterfeit_ip", 3, "feedback"),
        revoked: ("none", 0, "feedback"),
    }
    assert PHONE not in target.read_text(encoding="utf-8")


def test_only_the_owner_reads_an_export(tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path)
    memory = Memory(settings, load_taxonomy())
    for prediction in answer(memory, "假货"):
        memory.correct(right(prediction))
    memory.close()
    export_corrections(settings, tmp_path / "out.jsonl", "none")
    assert stat.S_IMODE((tmp_path / "out.jsonl").stat().st_mode) == 0o600


def test_what_hostile_texts_hold_breaks_no_line(tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path)
    texts = ["=cmd|' /C calc'!A0", 'a\u2028b\x85c\r\n"d"\x00\x1b[31m', "{}\n{}"]
    memory = Memory(settings, load_taxonomy())
    for prediction in answer(memory, *texts):
        memory.correct(right(prediction))
    memory.close()
    export_corrections(settings, tmp_path / "out.jsonl", "none")
    found = load_examples([tmp_path / "out.jsonl"], load_taxonomy())
    assert (found.bad, [row.text for row in found.rows]) == ([], [text.replace("\0", "\ufffd") for text in texts])


def test_corrections_without_text_are_counted(tmp_path: Path) -> None:
    settings = StoreSettings(folder=tmp_path, keep_text="none")
    memory = Memory(settings, load_taxonomy())
    [prediction] = answer(memory, TEXT)
    memory.correct(right(prediction))
    memory.close()
    summary = export_corrections(settings, tmp_path / "out.jsonl", "none")
    assert (summary.written, summary.textless) == (0, 1)
    with pytest.raises(InputError, match=r"\.jsonl"):
        export_corrections(settings, tmp_path / "out.csv", "none")


@pytest.mark.parametrize(("name", "why"), [("dir.jsonl", "Is a directory"), ("nowhere/out.jsonl", "no folder")])
def test_a_target_that_cannot_be_written_is_refused_in_one_line(name: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "dir.jsonl").mkdir()
    with pytest.raises(InputError, match=rf"{name}.*{why}"):
        export_corrections(StoreSettings(folder=tmp_path), tmp_path / name, "none")
    assert [path.name for path in tmp_path.iterdir()] == ["dir.jsonl"]


def test_a_bundle_that_is_none_is_told_with_the_setting_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUJING_BUNDLE", "nowhere")
    found = CliRunner().invoke(app, ["feedback", "export", "out.jsonl"])
    assert isinstance(found.exception, BundleError)
    assert str(found.exception).startswith("YUJING_BUNDLE or --bundle: nowhere: no readable manifest.json")


@pytest.mark.parametrize("url", [None, "sqlite:///nowhere.sqlite3"])
def test_a_folder_without_a_store_is_refused_and_left_as_it_was(
    url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url or "")
    with pytest.raises(ConfigError, match=r"no store is there .*sqlite3 is missing.*DATABASE_URL"):
        require(tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_store_that_is_there_is_taken(settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.url or "")
    assert rows(settings) == []  # the first look makes it
    assert require(settings.folder) == settings

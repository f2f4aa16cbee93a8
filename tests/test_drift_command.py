"""`yujing drift reference` says which file it wrote, and how to leave the bundle as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import BundleError, InputError
from data.samples import sample_examples
from models.bundle import Bundle
from models.engine_build import ENGINES
from serving.commands.drift import drift


@pytest.fixture
def usual(tmp_path: Path) -> Path:
    """Posts enough for a reference: the samples three times, with other words around."""
    path = tmp_path / "usual.jsonl"
    posts = [(f"{row.id}-{again}", f"第{again}次：{row.text}") for again in range(3) for row in sample_examples()]
    lines = (json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n" for name, text in posts)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setenv("COLUMNS", "120")
    found = CliRunner().invoke(drift, arguments)
    assert found.exit_code == 0, found.output
    return found.output


def test_it_says_where_the_statistics_went(
    tiny_bundle: Bundle, usual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, manifest = tmp_path / "bundle", tiny_bundle.folder / "manifest.json"
    shutil.copytree(tiny_bundle.folder, folder)
    monkeypatch.chdir(tmp_path)
    output = run(monkeypatch, "reference", "usual.jsonl", "--bundle", "bundle", "--out", "out.json")
    assert f"-> {tmp_path / 'out.json'}\n" in output
    assert "YUJING_DRIFT_REFERENCE" in output
    assert (folder / "manifest.json").read_bytes() == manifest.read_bytes()
    output = run(monkeypatch, "reference", "usual.jsonl", "--bundle", "bundle")
    assert f"-> {folder / 'manifest.json'}\n" in output
    assert "--out FILE" in output
    assert (folder / "manifest.json").read_bytes() != manifest.read_bytes()


@pytest.mark.parametrize(("out", "why"), [("nowhere/out.json", "No such file"), ("folder", "Is a directory")])
def test_where_the_statistics_cannot_go_is_told_before_a_post_is_read(
    tiny_bundle: Bundle, out: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    arguments = ("reference", "there are no posts.jsonl", "--bundle", str(tiny_bundle.folder), "--out", out)
    found = CliRunner().invoke(drift, arguments)
    assert isinstance(found.exception, InputError)
    assert f"{out} cannot be written: {why}" in str(found.exception)


@pytest.mark.parametrize("arguments", [("reference", "--out", "out.json"), ("replay",)])
def test_without_a_flag_it_is_the_bundle_that_is_served(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YUJING_BUNDLE", "mine")
    found = CliRunner().invoke(drift, [*arguments, "there are no posts.jsonl"])
    assert isinstance(found.exception, BundleError)
    assert str(found.exception).startswith("YUJING_BUNDLE or --bundle: mine: no readable manifest.json")


def test_a_seed_that_no_generator_takes_is_refused_before_a_post_is_read() -> None:
    found = CliRunner().invoke(drift, ["replay", "there are no posts.jsonl", "--seed", "-1"])
    assert found.exit_code == 2
    assert "--seed" in found.output


def test_posts_are_read_by_the_engine_that_serves(
    tiny_bundle: Bundle, usual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[str]()
    monkeypatch.setitem(ENGINES, "torch", lambda *given: read.append("torch") or ENGINES["onnx"](*given))
    monkeypatch.setenv("YUJING_ENGINE", "torch")
    run(monkeypatch, "reference", str(usual), "--bundle", str(tiny_bundle.folder), "--out", str(tmp_path / "out.json"))
    assert read == ["torch"]


def test_the_help_names_the_ways_to_leave_the_bundle_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    output = run(monkeypatch, "reference", "--help")
    assert "YUJING_DRIFT_REFERENCE" in output
    assert "--out" in output

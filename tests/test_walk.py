"""Files below folders and by patterns, where links go round in circles."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from data.errors import InputError
from serving.batch.inputs import find_inputs
from serving.batch.walk import below, matching

PATTERNS = ("**/*.csv", "*/**/*.csv", "**/b/*.csv", "./**/*.csv", "**/**/*.csv", "**/*", "**", "a/**", "*.csv")
HIDDEN = (
    "a/../**/*.csv",
    ".h/**/*.csv",
    "**/.e.csv",
    "a**/*.csv",
    "nowhere/**/*.csv",
    "c.csv/**/*",
    "**/odd[[]1]/**/*.csv",
)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"id,text\n1,x\n")
    return folder


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fill(tmp_path, "c.csv", "a/c.csv", "a/b/c.csv", "a/b/d.txt", "b/.e.csv", ".h/c.csv", "odd[1]/f*/c.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pattern", [*PATTERNS, *HIDDEN])
def test_without_circles_a_pattern_matches_what_glob_matches(pattern: str, tree: Path) -> None:
    assert matching(pattern) == sorted({*glob.glob(pattern, recursive=True)})
    assert matching(f"{tree}/{pattern}") == sorted({*glob.glob(f"{tree}/{pattern}", recursive=True)})


def circles(tree: Path) -> None:
    """More than one: a walk that follows them would double with every step."""
    for name, to in {"a/same": ".", "a/up": "..", "a/root": "/", "a/other": "../b", "b/back": "../a"}.items():
        (tree / name).symlink_to(to)


def test_a_link_that_leads_back_is_left_out_and_told(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    circles(tree)
    assert sorted(below("a")) == ["a/b/c.csv", "a/b/d.txt", "a/c.csv", "a/other/.e.csv"]
    assert all(f"{name}: left out" in caplog.text for name in ("a/same", "a/up", "a/root", "a/other/back"))
    assert matching("a/**/c.csv") == ["a/b/c.csv", "a/c.csv"]
    assert matching("a/same/c.csv") == ["a/same/c.csv"]  # as it was asked for


def test_links_to_other_folders_are_followed(tree: Path) -> None:
    (tree / "b/to").symlink_to("../a/b")
    assert sorted(below("b")) == ["b/.e.csv", "b/to/c.csv", "b/to/d.txt"]
    assert "b/to/c.csv" in matching("**/*.csv")
    assert below("c.csv") == below("nowhere") == []


def test_a_folder_that_cannot_be_read_is_no_silent_loss(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path) == "a/b":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr("os.scandir", refuse)  # root may read anything
    with pytest.raises(PermissionError):
        below("a")


def test_a_link_to_nothing_is_no_silent_loss(tree: Path) -> None:
    (tree / "a/gone.csv").symlink_to("nowhere.csv")
    (tree / "a/loop.csv").symlink_to("loop.csv")
    for source in ("a", "a/*.csv"):
        gone, loop = (one for one in find_inputs(source) if not Path(one.path).exists())
        for one in (gone, loop):
            with pytest.raises(InputError, match=rf"{one.path} cannot be read"):
                one.fingerprint()


@pytest.mark.parametrize("source", ["gbk", "gbk/*", "{name}.csv", "{name}"])
def test_names_need_not_be_utf8(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.fsdecode("投诉".encode("gbk"))
    fill(tmp_path, f"gbk/{name}.csv", f"{name}.csv", f"{name}/{name}.csv")
    monkeypatch.chdir(tmp_path)
    (one,) = find_inputs(source.format(name=name))
    assert one.name == "Ͷ\\xcb\\xdf.csv"
    assert len(one.fingerprint()) == 64

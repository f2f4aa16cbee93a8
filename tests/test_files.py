"""What is put in place is whole: the old file or folder until the end, then the new one, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.files import put_in_place, whole


class StoppedError(Exception):
    """The work is interrupted."""


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_changes_at_the_end(before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    if before:
        path.write_text(before)
    with whole(path) as part:
        part.write_text("new")
        assert part.suffix == ".txt"
        assert (path.read_text() if path.exists() else None) == before
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]
    with path.open("ab"), (tmp_path / "usual").open("wb"):
        assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode  # not private, as a scratch file is


def test_a_folder_changes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    for name in ("a", "b"):
        with whole(path) as part:
            (part / "deep").mkdir(parents=True)
            (part / "deep" / name).write_text(name)
            assert names(path) == ([] if name == "a" else ["deep", "deep/a"])
        assert names(path) == ["deep", f"deep/{name}"]
    assert names(tmp_path) == ["bundle", "bundle/deep", "bundle/deep/b"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_was_interrupted_leaves_the_old_one_alone(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    for text in ("old", "new"):
        try:
            with whole(path) as part:
                if kind == "folder":
                    part.mkdir()
                (part / "file" if kind == "folder" else part).write_text(text)
                if text == "new":
                    raise StoppedError
        except StoppedError:
            pass
    assert (path / "file" if kind == "folder" else path).read_text() == "old"
    assert names(tmp_path) == (["a", "a/file"] if kind == "folder" else ["a"])


def test_of_those_that_make_the_same_folder_the_first_ones_stays(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    with whole(path, first=True) as late:
        late.mkdir()
        with whole(path, first=True) as early:
            early.mkdir()
            (early / "weights").write_text("early")
        (late / "weights").write_text("late")
    assert (path / "weights").read_text() == "early"
    assert names(tmp_path) == ["engine", "engine/weights"]


def test_a_folder_that_must_be_first_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "engine").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="engine"), whole(tmp_path / "engine", first=True) as part:
        part.mkdir()
    assert (tmp_path / "engine").read_text(encoding="utf-8") == "old"


def test_what_was_not_made_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with whole(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_the_longest_name_that_there_is(tmp_path: Path) -> None:
    path = tmp_path / ("舆" * 85)  # 255 bytes
    with whole(path) as part:
        part.write_text("x")
    assert path.read_text() == "x"


def test_the_free_name_may_lie_in_a_folder_of_the_caller(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with whole(tmp_path / "a", tmp_path / "own") as part:
        part.write_text("x")
        assert part.is_relative_to(tmp_path / "own")
        assert names(tmp_path)[0] == "own"
    assert names(tmp_path) == ["a", "own"]


def test_a_folder_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "part").mkdir()
    with pytest.raises(NotADirectoryError):
        put_in_place(tmp_path / "part", tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old"


def test_a_link_into_a_folder_that_is_not_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone/true")
    with whole(tmp_path / "link") as part:
        part.write_text("new")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_text() == "new"


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_a_link_stays_and_what_it_leads_to_is_replaced(kind: str, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    true, link = tmp_path / "disk" / "true", tmp_path / "link"
    link.symlink_to("disk/true")
    if kind == "folder":
        true.mkdir()
    elif kind == "file":
        true.write_text("old")
    with whole(link) as part:
        part.write_text("new") if kind != "folder" else part.mkdir()
        (part / "a").touch() if kind == "folder" else None
    assert link.is_symlink()
    assert link.resolve() == true.resolve()
    assert names(true) == ["a"] if kind == "folder" else true.read_text() == "new"
    assert names(tmp_path) == ["disk", "disk/true", *(["disk/true/a"] if kind == "folder" else []), "link"]

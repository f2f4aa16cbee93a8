"""Which posts may be a reference: the manifest alone tells which ones taught, without `training`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from altered import edit
from corpora import as_if
from rich.console import Console
from typer.testing import CliRunner

from data.errors import ConfigError, CorpusError
from data.samples import FOLDER, sample_examples
from models.bundle import Bundle, open_bundle
from serving.cli import app
from serving.drift.unseen import unseen_texts
from training.evaluate_rows import trained_corpus
from training.text_config import TextConfig

QUIET = Console(quiet=True)
SAMPLES = FOLDER / "posts.jsonl"


def tell_nothing(what: str) -> None:
    raise AssertionError(what)


def test_of_what_taught_only_the_held_out_posts_count(tiny_bundle: Bundle, tiny_config: TextConfig) -> None:
    (posts,) = tiny_config.posts
    corpus = trained_corpus(tiny_bundle, (posts,), tiny_bundle.taxonomy, QUIET)
    assert corpus is not None
    held_out = sorted(row.text for part in ("validation", "test") for row in corpus.part(part))
    assert sorted(unseen_texts(tiny_bundle, Path(posts), tell_nothing)) == held_out
    assert len(held_out) < len(corpus.examples)


def test_of_two_files_that_taught_each_gives_its_own(
    tiny_bundle: Bundle, tiny_config: TextConfig, tiny_posts: Path, tmp_path: Path
) -> None:
    lines = tiny_posts.read_text(encoding="utf-8").splitlines(keepends=True)
    halves = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for path, some in zip(halves, (lines[:100], lines[100:]), strict=True):
        path.write_text("".join(some), encoding="utf-8")
    config = replace(tiny_config, posts=tuple(map(str, halves)))
    bundle = as_if(tiny_bundle, config, tmp_path / "bundle")
    corpus = trained_corpus(bundle, config.posts, bundle.taxonomy, QUIET)
    assert corpus is not None
    both = [text for path in halves for text in unseen_texts(bundle, path, tell_nothing)]
    assert sorted(both) == sorted(row.text for part in ("validation", "test") for row in corpus.part(part))


def test_of_strangers_all_count(tiny_bundle: Bundle) -> None:
    assert len(unseen_texts(tiny_bundle, SAMPLES, tell_nothing)) == len(sample_examples())


def test_a_file_that_taught_and_has_changed_is_told(tiny_bundle: Bundle, tiny_posts: Path, tmp_path: Path) -> None:
    changed = tmp_path / "posts.jsonl"
    changed.write_bytes(tiny_posts.read_bytes() + b"\n")
    (tmp_path / "bundle").mkdir()
    for path in tiny_bundle.folder.iterdir():
        (tmp_path / "bundle" / path.name).write_bytes(path.read_bytes())
    edit(tmp_path / "bundle", lambda raw: raw["text"]["config"].update(posts=[str(changed)]))
    told = list[str]()
    assert len(unseen_texts(open_bundle(tmp_path / "bundle"), changed, told.append)) > len(sample_examples())
    assert [line.split(": ")[0] for line in told] == ["not all unseen"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"held_out": None}, "does not say which of its posts were held out"),
        ({"held_out": {"validation": [], "test": ["of another file"]}}, "none of its posts was held out"),
    ],
)
def test_without_a_held_out_post_it_is_refused(
    tiny_bundle: Bundle, tiny_config: TextConfig, data: dict[str, object], why: str, tmp_path: Path
) -> None:
    bundle = as_if(tiny_bundle, tiny_config, tmp_path / "bundle", **data)
    if data["held_out"] is None:
        edit(bundle.folder, lambda raw: raw["text"]["data"].pop("held_out"))
    (posts,) = tiny_config.posts
    with pytest.raises(CorpusError, match=why):
        unseen_texts(open_bundle(bundle.folder), Path(posts), tell_nothing)


def test_what_only_taught_is_refused(tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path) -> None:
    config = replace(tiny_config, extra=(str(SAMPLES),))
    bundle = as_if(tiny_bundle, config, tmp_path / "bundle")
    with pytest.raises(CorpusError, match="rows that only teach"):
        unseen_texts(bundle, SAMPLES, tell_nothing)


def test_a_reference_is_made_without_training(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "training"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "training", None)
    usual, out = tmp_path / "usual.jsonl", tmp_path / "out.json"
    lines = SAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    again = (line.replace('"id": "', f'"id": "{copy}-') for copy in range(2) for line in lines)
    usual.write_text("".join(again), encoding="utf-8")
    arguments = ["drift", "reference", str(usual), "--bundle", str(tiny_bundle.folder), "--out", str(out)]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    assert out.is_file()


@pytest.mark.parametrize(
    "arguments",
    ["train text", "train escalation", "train first-stage", "evaluate", "compare one another", "policy simulate"],
)
def test_where_training_is_not_installed_its_commands_say_so(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "training", None)
    found = CliRunner().invoke(app, arguments.split())
    assert isinstance(found.exception, ConfigError)
    assert "training is not part of this installation" in str(found.exception)

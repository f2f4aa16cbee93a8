"""Which posts are unseen: all or none of the files that taught, never rows that taught otherwise, whole or in part."""

from __future__ import annotations

import io
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from altered import edit
from corpora import as_if
from rich.console import Console

from data.errors import CorpusError
from data.samples import FOLDER
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, open_bundle, save_part, text_part
from models.taught import file_sha256
from training.corpus import read_corpus
from training.earlier import earlier_bundle
from training.escalation_simulate import simulate
from training.escalation_simulate_config import SimulateConfig
from training.evaluate import evaluate
from training.evaluate_config import EvaluateConfig
from training.evaluate_rows import trained_corpus
from training.taught import known_files, tell_changed
from training.text_config import TextConfig
from training.text_recalibrate import refuse_other_split

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
SAMPLES = str(FOLDER / "posts.jsonl")


@pytest.fixture
def halves(tiny_posts: Path, tmp_path: Path) -> tuple[str, str]:
    """The tiny corpus as two files."""
    lines = tiny_posts.read_text(encoding="utf-8").splitlines(keepends=True)
    paths = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for path, some in zip(paths, (lines[:100], lines[100:]), strict=True):
        path.write_text("".join(some), encoding="utf-8")
    return str(paths[0]), str(paths[1])


def test_a_stranger_beside_what_taught_makes_nothing_unseen(tiny_bundle: Bundle, tiny_config: TextConfig) -> None:
    (posts,) = tiny_config.posts
    assert trained_corpus(tiny_bundle, (SAMPLES,), TAXONOMY, QUIET) is None
    with pytest.raises(CorpusError, match=rf"{posts} taught the model, {SAMPLES} did not"):
        trained_corpus(tiny_bundle, (SAMPLES, posts), TAXONOMY, QUIET)
    with pytest.raises(CorpusError, match=r"^nowhere\.jsonl: No such file or directory: name a file that can be read"):
        trained_corpus(tiny_bundle, (posts, "nowhere.jsonl"), TAXONOMY, QUIET)


def test_part_of_the_files_is_no_test_part_and_their_order_does_not_matter(
    tiny_bundle: Bundle, tiny_config: TextConfig, halves: tuple[str, str], tmp_path: Path
) -> None:
    config = replace(tiny_config, posts=halves)
    bundle = as_if(tiny_bundle, config, tmp_path / "bundle")
    with pytest.raises(CorpusError, match=r"a\.jsonl taught the model with 1 other files"):
        trained_corpus(bundle, halves[:1], TAXONOMY, QUIET)
    turned = trained_corpus(bundle, halves[::-1], TAXONOMY, QUIET)
    assert turned is not None
    assert turned.split == read_corpus(config, TAXONOMY, QUIET).split
    assert turned.examples == read_corpus(config, TAXONOMY, QUIET).examples


def _without(bundle: Bundle, names: set[str]) -> Bundle:
    """The bundle as an earlier version would have written it."""
    part = text_part(bundle)
    older = {name: value for name, value in part.data.items() if name not in names}
    return save_part(bundle.folder, TAXONOMY, {}, text=replace(part, data=older))


def test_a_split_is_rebuilt_by_its_ids_also_by_a_version_that_deals_otherwise(
    tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    """One post read otherwise made one group more, and 1,193 of 1,911 test rows were rows that had taught."""
    other = replace(tiny_config, seed=tiny_config.seed + 1)
    own, dealt_otherwise = (read_corpus(config, TAXONOMY, QUIET) for config in (tiny_config, other))
    assert own.about["rows"] == dealt_otherwise.about["rows"]
    assert own.split != dealt_otherwise.split
    bundle = as_if(tiny_bundle, other, tmp_path / "bundle")
    corpus = trained_corpus(bundle, tiny_config.posts, TAXONOMY, QUIET)
    assert corpus is not None
    assert corpus.split == dealt_otherwise.split


@pytest.mark.parametrize("lost", [{"held_out"}, {"held_out", "held_out_ids"}])
def test_a_bundle_that_does_not_tell_its_split_is_refused_where_another_is_dealt(
    tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path, lost: set[str]
) -> None:
    """Rows that taught would be measured; sizes alone cannot tell."""
    other = replace(tiny_config, seed=tiny_config.seed + 1)
    bundle = _without(as_if(tiny_bundle, other, tmp_path / "bundle"), lost)
    with pytest.raises(CorpusError, match="the split of the training could not be rebuilt"):
        trained_corpus(bundle, tiny_config.posts, TAXONOMY, QUIET)


def test_a_bundle_that_tells_the_hash_of_its_split_is_measured_as_ever(
    tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    bundle = _without(as_if(tiny_bundle, tiny_config, tmp_path / "bundle"), {"held_out"})
    corpus = trained_corpus(bundle, tiny_config.posts, TAXONOMY, QUIET)
    assert corpus is not None
    assert corpus.split == read_corpus(tiny_config, TAXONOMY, QUIET).split


def test_a_file_that_has_changed_since_it_taught_is_told(
    tiny_bundle: Bundle, tiny_config: TextConfig, tiny_posts: Path, tmp_path: Path
) -> None:
    """Only hashes tell what taught: with one label corrected all rows would count as unseen, without a word."""
    for key in ("posts", "extra"):
        path, log = tmp_path / f"{key}.jsonl", io.StringIO()
        path.write_text(tiny_posts.read_text(encoding="utf-8"), encoding="utf-8")
        bundle = as_if(tiny_bundle, replace(tiny_config, **{key: (str(path),)}), tmp_path / key)
        path.write_text(path.read_text(encoding="utf-8").replace("售后", "客服"), encoding="utf-8")
        assert trained_corpus(bundle, (str(path),), TAXONOMY, Console(file=log, width=400)) is None
        assert f"{key}.jsonl taught the bundle with other rows than now" in log.getvalue()
    log = io.StringIO()
    assert trained_corpus(bundle, (SAMPLES,), TAXONOMY, Console(file=log, width=400)) is None
    assert log.getvalue() == ""


def test_rows_that_only_taught_are_never_a_test_part(
    tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    bundle = as_if(tiny_bundle, replace(tiny_config, extra=(SAMPLES,)), tmp_path / "bundle")
    assert trained_corpus(bundle, tiny_config.posts, TAXONOMY, QUIET) is not None
    with pytest.raises(CorpusError, match=rf"{SAMPLES} taught the bundle as rows that only teach"):
        trained_corpus(bundle, (SAMPLES,), TAXONOMY, QUIET)


def test_what_taught_an_ancestor_is_not_unseen(tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path) -> None:
    bundle = as_if(tiny_bundle, tiny_config, tmp_path / "bundle", ancestors=[file_sha256(SAMPLES)])
    with pytest.raises(CorpusError, match="or a bundle that it began with or learnt from"):
        trained_corpus(bundle, (SAMPLES,), TAXONOMY, QUIET)
    assert trained_corpus(bundle, tiny_config.posts, TAXONOMY, QUIET) is not None  # its own test part is as it was


def test_series_that_are_known_in_part_are_refused(tiny_bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    own, other = str(FOLDER / "volumes.jsonl"), tmp_path / "other.jsonl"
    other.write_text(Path(own).read_text(encoding="utf-8").replace('"topic_id": "', '"topic_id": "x'), encoding="utf-8")
    part = replace(tiny_bundle.manifest.escalation["counts"], data={"files": {"volumes.jsonl": file_sha256(own)}})
    save_part(tmp_path / "bundle", TAXONOMY, {}, escalation={"counts": part})
    out = str(tmp_path / "out.json")
    config = EvaluateConfig(bundle=str(tmp_path / "bundle"), posts=(), series=(own, str(other)), record="", out=out)
    with pytest.raises(CorpusError, match=r"volumes\.jsonl taught the model, .*other\.jsonl did not"):
        evaluate(config, QUIET)
    replay = SimulateConfig(bundle=str(tmp_path / "bundle"), series=(own, str(other)), out=str(tmp_path / "policy"))
    with pytest.raises(CorpusError, match=r"volumes\.jsonl taught the model, .*other\.jsonl did not"):
        simulate("counts", replay, QUIET)


def test_series_and_records_that_have_changed_since_they_taught_are_told(tmp_path: Path) -> None:
    """A record that goes on growing has another hash each day; the days that taught measured the head, unsaid."""
    path = tmp_path / "grown.jsonl"
    path.write_text("now", encoding="utf-8")
    for name, config in (("series", {"series": [str(path)]}), ("record", {"record": str(path)})):
        for now, told in (("another", True), (file_sha256(str(path)), False)):
            log = io.StringIO()
            tell_changed((str(path),), config, {"files": {"grown.jsonl": now}}, Console(file=log, width=400), (name,))
            assert ("grown.jsonl taught the bundle with other rows than now" in log.getvalue()) == told


def test_grown_series_are_told_where_they_are_measured_and_replayed(tiny_bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    path, counts = str(tmp_path / "volumes.jsonl"), tiny_bundle.manifest.escalation["counts"]
    shutil.copy(FOLDER / "volumes.jsonl", path)
    part = replace(counts, config={**counts.config, "series": [path]}, data={"files": {path: "what it was"}})
    save_part(tmp_path / "bundle", TAXONOMY, {}, escalation={"counts": part})
    folder, out, log = str(tmp_path / "bundle"), str(tmp_path / "out.json"), io.StringIO()
    config = EvaluateConfig(bundle=folder, posts=(), series=(path,), record="", draws=10, out=out)
    evaluate(config, Console(file=log, width=400))
    assert "volumes.jsonl taught the bundle with other rows than now" in log.getvalue()
    log = io.StringIO()
    replay = SimulateConfig(bundle=folder, series=(path,), out=str(tmp_path))
    with suppress(CorpusError):  # twelve series are too few to replay
        simulate("counts", replay, Console(file=log, width=400))
    assert "volumes.jsonl taught the bundle with other rows than now" in log.getvalue()


def test_files_that_are_unknown_to_the_manifest_are_no_part_of_it() -> None:
    assert known_files((SAMPLES,), []) is None
    assert known_files((SAMPLES,), [file_sha256(SAMPLES)]) == (SAMPLES,)
    with pytest.raises(CorpusError, match="with 1 other files"):
        known_files((SAMPLES,), [None, file_sha256(SAMPLES)])


def test_a_bundle_with_a_setting_that_is_gone_is_used_as_any_other(
    tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    edit(folder, lambda raw: raw["text"]["config"].update(gone=1))
    old = trained_corpus(open_bundle(folder), tiny_config.posts, TAXONOMY, QUIET)
    now = trained_corpus(tiny_bundle, tiny_config.posts, TAXONOMY, QUIET)
    assert old is not None
    assert now is not None
    assert old.split == now.split
    assert earlier_bundle(str(folder), tiny_config, TAXONOMY).model_id == tiny_bundle.model_id
    refuse_other_split(text_part(open_bundle(folder)), tiny_config)

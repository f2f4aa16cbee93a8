"""Rows that taught the bundle which a run goes on from: how many of them are taught again."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from corpora import annotated
from rich.console import Console

from data.taxonomy import load_taxonomy
from models.bundle import Bundle, text_part
from models.taught import file_sha256
from training.card_lineage import lineage
from training.corpus import Corpus, read_corpus, taught_files
from training.rehearsal import rehearsed
from training.text import train_text
from training.text_config import TextConfig

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
ROWS = 40


def posts(path: Path, first: int) -> str:
    """A file of ROWS labelled posts, no two of them nearly the same."""
    rows = (
        {
            "id": f"x{n}",
            "text": f"第{n}单，{n * n}元的快递丢了，打了{n + 3}次电话",
            "category": "logistics_fulfilment",
            "severity": 1,
        }
        for n in range(first, first + ROWS)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A file of rows that only teach, and another one that comes later."""
    folder = tmp_path_factory.mktemp("teaching")
    return posts(folder / "old.jsonl", 0), posts(folder / "new.jsonl", 1_000)


@pytest.fixture(scope="module")
def start(tiny_config: TextConfig, files: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that the first of the files has taught."""
    return train_text(replace(tiny_config, extra=files[:1], out=str(tmp_path_factory.mktemp("start"))), QUIET)


@pytest.fixture
def config(tiny_config: TextConfig, files: tuple[str, str], start: Bundle, tmp_path: Path) -> TextConfig:
    """A run that goes on from it with both files."""
    return replace(tiny_config, extra=files, start=str(start.folder), out=str(tmp_path / "run"))


def ids(corpus: Corpus, first: int) -> set[str]:
    return {row.id for row in corpus.extra} & {f"x{n}" for n in range(first, first + ROWS)}


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_what_taught_the_start_stays_and_all_that_is_new(
    config: TextConfig, start: Bundle, share: float
) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    found = rehearsed(corpus, start, replace(config, rehearsal_share=share), TAXONOMY, QUIET)
    assert len(ids(found, 0)) == round(share * len(ids(corpus, 0)))
    assert ids(found, 1_000) == ids(corpus, 1_000) != set()
    assert found.examples == corpus.examples
    assert found.split == corpus.split


def test_the_seed_draws_them(config: TextConfig, start: Bundle) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    first, again, other = (
        rehearsed(corpus, start, replace(config, rehearsal_share=0.5, seed=seed), TAXONOMY, QUIET).extra
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_the_bundle_and_its_card_tell_how_many_were_left_out(config: TextConfig) -> None:
    bundle = train_text(replace(config, rehearsal_share=0.25), QUIET)
    part = text_part(bundle)
    assert part.data["not_rehearsed"] == ROWS - ROWS // 4
    assert part.data["rows"]["extra"] == 2 * ROWS
    assert f"; {ROWS - ROWS // 4} rows that only teach" in lineage(part)


def test_without_a_start_there_is_nothing_to_rehearse(config: TextConfig) -> None:
    with pytest.raises(ValueError, match=r"rehearsal_share.*`start`"):
        replace(config, start=None, rehearsal_share=0.5)


@pytest.mark.parametrize("other", [{"text": "另一家店的快递"}, {"severity": 2}])
def test_another_row_is_new_though_its_id_is_known(config: TextConfig, start: Bundle, other: dict[str, object]) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    own = tuple(replace(row, **other) for row in corpus.extra)  # type: ignore[arg-type]
    found = rehearsed(replace(corpus, extra=own), start, replace(config, rehearsal_share=0.0), TAXONOMY, QUIET)
    assert found.extra == own


@pytest.mark.parametrize("there", [True, False])
def test_labels_taught_only_where_their_texts_were_at_hand(
    config: TextConfig, start: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    config = annotated(config, tmp_path, "shop", "u1,public_safety,2\nu2,none,0\n")
    files = taught_files(config if there else replace(config, unlabelled=("nowhere.jsonl",)))
    monkeypatch.setattr("training.rehearsal.taught", lambda data: {file_sha256(path) for path in files})
    corpus = read_corpus(config, TAXONOMY, QUIET)
    found = rehearsed(corpus, start, replace(config, rehearsal_share=0.0), TAXONOMY, QUIET)
    assert {row.id for row in found.extra} & {"u1", "u2"} == (set() if there else {"u1", "u2"})


def test_a_file_that_has_changed_since_is_told(
    config: TextConfig, start: Bundle, tmp_path: Path, files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    monkeypatch.setattr(
        "training.rehearsal.changed_since", lambda paths, *_: [path for path in paths if path == files[1]]
    )
    console = Console(file=io.StringIO(), width=400)
    rehearsed(corpus, start, replace(config, rehearsal_share=0.5), TAXONOMY, console)
    assert f"taught whole {files[1]}" in console.file.getvalue()  # type: ignore[attr-defined]

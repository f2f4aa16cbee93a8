"""Labels of posts that lie elsewhere: they only teach, and what they miss is told."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import TAXONOMY, annotated, read, write
from rich.console import Console

from data.hot_titles import title_id
from data.records import Example
from training.corpus import read_corpus
from training.text_config import TextConfig


@pytest.fixture
def config(tiny_posts: Path) -> TextConfig:
    return TextConfig(posts=(str(tiny_posts),), extra=(), annotated=())


def test_annotated_posts_only_teach(config: TextConfig, tmp_path: Path) -> None:
    corpus = read(annotated(config, tmp_path, "hot", "u2,none,0\nu1,public_safety,2\n"))
    assert corpus.split == read(config).split
    assert [(row.id, row.text) for row in corpus.extra] == [("u2", "晚霞很美"), ("u1", "商场扶梯突然倒转")]
    assert {Path(name).name for name in corpus.about["files"]} >= {"labels.csv", "un.jsonl"}


def test_annotated_posts_of_a_left_out_source_do_not_teach(config: TextConfig, tmp_path: Path) -> None:
    posts = [replace(row, source="hot" if i % 3 else "shop") for i, row in enumerate(read(config).examples)]
    config = replace(config, posts=(write(tmp_path / "posts.jsonl", posts),), held_out_source="shop")
    labels = "u1,public_safety,2\nu2,none,0\n"
    assert [len(read(annotated(config, tmp_path, source, labels)).extra) for source in ("hot", "shop")] == [2, 0]


def test_annotations_without_their_corpus_are_told(config: TextConfig, tmp_path: Path) -> None:
    console = Console(record=True, width=400, file=(tmp_path / "log").open("w", encoding="utf-8"))
    absent = replace(annotated(config, tmp_path, "hot", "u2,none,0\n"), unlabelled=("nowhere.jsonl",))
    assert read_corpus(absent, TAXONOMY, console).extra == ()
    assert "labels.csv say of nowhere.jsonl: no such file" in console.export_text()
    console.file.close()


def test_an_annotated_post_of_a_held_out_event_does_not_teach(config: TextConfig, tmp_path: Path) -> None:
    posts = [replace(row, event=row.id) for row in read(config).examples]
    config = annotated(replace(config, posts=(write(tmp_path / "posts.jsonl", posts),)), tmp_path, "hot", "")
    taught, held_out = (read(config).part(part)[0].event for part in ("train", "test"))
    unlabelled = [
        Example(id="u1", text="商场扶梯突然倒转", event=taught),
        Example(id="u2", text="晚霞", event=held_out),
    ]
    write(tmp_path / "un.jsonl", unlabelled)
    (tmp_path / "labels.csv").write_text("id,category,severity\nu1,other,1\nu2,none,0\n", encoding="utf-8")
    corpus = read(config)
    assert ([row.id for row in corpus.extra], corpus.about["extra_dropped"]) == (["u1"], 1)


def test_an_id_of_two_unlabelled_files_is_told_and_never_the_other_post(config: TextConfig, tmp_path: Path) -> None:
    config = annotated(config, tmp_path, "hot", "u1,public_safety,2\n")
    again = write(tmp_path / "again.jsonl", [Example(id="u1", text="今天的晚霞很美")])
    log = io.StringIO()
    console = Console(file=log, width=400)
    corpus = read_corpus(replace(config, unlabelled=(*config.unlabelled, again)), TAXONOMY, console)
    assert [row.text for row in corpus.extra] == ["商场扶梯突然倒转"]
    assert "again.jsonl:1: id: 'u1' came before" in log.getvalue()


def test_a_faulty_label_is_told_though_a_corpus_of_others_is_absent(config: TextConfig, tmp_path: Path) -> None:
    log = io.StringIO()
    faulty = annotated(config, tmp_path, "hot", "u1,weather,2\nu2,none,0\nelsewhere,none,0\n")
    corpus = read_corpus(faulty, TAXONOMY, Console(file=log, width=400))
    assert [row.id for row in corpus.extra] == ["u2"]
    assert "labels.csv:2: category: 'weather' is not in the taxonomy" in log.getvalue()
    assert "labels.csv:4" not in log.getvalue()  # its post may be in the record, which is absent


def test_titles_of_the_hot_search_list_are_annotated_by_their_hash(config: TextConfig, tmp_path: Path) -> None:
    title, start = "某小区电梯深夜坠落", datetime(2025, 1, 1, tzinfo=UTC)
    columns = {"time": pa.array([start, start], pa.timestamp("us", tz="UTC")), "title": [title, "晚霞刷屏"]}
    pq.write_table(pa.table(columns), tmp_path / "list.parquet")
    (tmp_path / "titles.csv").write_text(f"id,category,severity\n{title_id(title)},public_safety,2\n", encoding="utf-8")
    taught = replace(
        config, annotated=(str(tmp_path / "titles.csv"),), unlabelled=(), record=str(tmp_path / "list.parquet")
    )
    assert [(row.text, row.source) for row in read(taught).extra] == [(title, "hot")]


def test_ids_of_the_project_are_not_those_of_other_posts(config: TextConfig, tmp_path: Path) -> None:
    """Its annotations number their posts; a user's own may have the same numbers."""
    own = write(tmp_path / "all.jsonl", [Example(id=f"u{i:06}", text=f"今天天气很好{i}") for i in range(50)])
    log = io.StringIO()
    taught = replace(config, annotated=TextConfig().annotated, unlabelled=(own,), record="no list")
    corpus = read_corpus(taught, TAXONOMY, Console(file=log, width=400))
    assert corpus.extra == ()
    assert "all.jsonl: it is not the corpus whose posts they label" in log.getvalue()
    assert own not in corpus.about["files"]


def test_own_annotations_beside_those_of_the_project(config: TextConfig, tmp_path: Path) -> None:
    config = annotated(config, tmp_path, "hot", "u1,public_safety,2\nu2,none,0\n")
    beside = replace(config, annotated=(*TextConfig().annotated, *config.annotated))
    assert [row.text for row in read(beside).extra] == ["商场扶梯突然倒转", "晚霞很美"]

"""The time protocol: the record dates a post by its title, nothing later teaches, other sources only teach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from data.errors import CorpusError
from data.hot_dates import dated, first_seen, title_of
from data.records import Example
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from training.corpus_time import corpus_for, read_time_corpus
from training.text_config import TextConfig

BEFORE = datetime(2025, 6, 30, 16, tzinfo=UTC)  # midnight in Shanghai
START = datetime(2025, 1, 1, tzinfo=UTC)
TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)


def record(path: Path, rows: Sequence[tuple[str | None, datetime]]) -> Path:
    times = pa.array([at for _, at in rows], pa.timestamp("us", tz="Asia/Shanghai"))
    pq.write_table(pa.table({"time": times, "title": [title for title, _ in rows]}), path)
    return path


def posts_file(path: Path, rows: list[Example]) -> str:
    lines = (json.dumps(asdict(row), ensure_ascii=False, default=str) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def hot_rows(size: int) -> list[Example]:
    """Posts whose titles have nothing in common, by their own number in Chinese characters."""
    return [
        Example(
            id=f"h{i}",
            text="".join(chr(0x4E00 + 37 * i + k) for k in range(12)) + "。正文",
            category=TAXONOMY.ids[i % 3],
            severity=min(i % 3, 1),
            source="hot",
        )
        for i in range(size)
    ]


def test_a_title_ends_at_the_first_stop_or_line() -> None:
    assert title_of(" 百度地图崩了。8月7日，客服回应 ") == "百度地图崩了"
    assert title_of("没有正文的标题") == "没有正文的标题"
    assert title_of("标题\n正文。") == "标题"


def test_the_first_snapshot_dates_a_post(tmp_path: Path) -> None:
    rows = [("甲", START + timedelta(hours=2)), ("甲", START), ("乙", START + timedelta(hours=1))]
    seen = first_seen(record(tmp_path / "list.parquet", rows))
    assert seen["甲"] == START
    own = Example(id="3", text="甲。又来", published_at=START + timedelta(days=9))
    found = dated([Example(id="1", text="甲。正文"), Example(id="2", text="丙。正文"), own], seen)
    assert [(row.id, row.published_at) for row in found] == [("1", START), ("3", own.published_at)]


def test_a_row_without_title_dates_nothing(tmp_path: Path) -> None:
    path = record(tmp_path / "list.parquet", [("甲", START), (None, START)])
    assert first_seen(path) == {"甲": START}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"time": [START.replace(tzinfo=None)], "title": ["甲"]}, "timestamps with a zone"),
        ({"title": ["甲"]}, "time"),
    ],
)
def test_a_record_of_another_shape_is_refused(tmp_path: Path, table: dict, told: str) -> None:  # type: ignore[type-arg]
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table(table), path)
    with pytest.raises(CorpusError, match=told):
        first_seen(path)
    with pytest.raises(CorpusError, match=r"no\.parquet"):
        first_seen(tmp_path / "no.parquet")


def test_nothing_from_the_test_time_teaches(tmp_path: Path) -> None:
    hot = hot_rows(260)
    late = hot[200:]
    times = [(title_of(row.text), BEFORE - timedelta(days=200 - i)) for i, row in enumerate(hot[:-1])]
    partly = Example(id="partly", text=hot[0].text.replace("正文", "另文"), severity=2, source="hot")
    others = [
        *sample_examples(),
        partly,
        Example(id="copy", text=late[0].text + "！", category="other", source="elsewhere"),
    ]
    config = TextConfig(posts=(posts_file(tmp_path / "posts.jsonl", [*hot, *others]),), extra=(), annotated=())
    path = record(tmp_path / "list.parquet", times)
    corpus = corpus_for(replace(config, before=BEFORE, record=str(path)), TAXONOMY, QUIET)
    assert [row.id for row in corpus.part("test")] == [row.id for row in late[:-1]]  # the last one has no date
    for part in ("train", "validation"):
        assert all(row.published_at is None or row.published_at < BEFORE for row in corpus.part(part))
    taught = {row.id for row in corpus.part("train")}
    assert "copy" not in taught  # it repeats a test post
    assert "partly" in taught  # of an earlier day, without a category
    assert {row.id for row in sample_examples()} <= taught
    assert all(row.source == "hot" for row in corpus.part("validation"))
    assert corpus.about["rows"]["test"] == 59


def test_no_source_teaches_from_the_test_time(tmp_path: Path) -> None:
    """A date is a date, whatever the source; without one a post of another source is older than the list."""
    hot = hot_rows(260)
    times = [(title_of(row.text), BEFORE - timedelta(days=200 - i)) for i, row in enumerate(hot)]
    others = [
        replace(row, id=name, source="shop", published_at=at)
        for name, at, row in zip(
            ("early", "late", "undated"), (BEFORE - timedelta(days=1), BEFORE, None), sample_examples(), strict=False
        )
    ]
    extra = [replace(row, id=f"{row.id}x", text=f"{row.text[::-1]}") for row in others]
    config = TextConfig(
        posts=(posts_file(tmp_path / "posts.jsonl", [*hot, *others]),),
        extra=(posts_file(tmp_path / "extra.jsonl", extra),),
        annotated=(),
        before=BEFORE,
        record=str(record(tmp_path / "list.parquet", times)),
    )
    corpus = corpus_for(config, TAXONOMY, QUIET)
    assert [row.id for row in corpus.extra] == ["early", "undated", "earlyx", "undatedx"]
    naive = replace(extra[0], id="naive", published_at=BEFORE.replace(tzinfo=None))
    posts_file(tmp_path / "extra.jsonl", [naive])
    with pytest.raises(CorpusError, match=r"1 rows have a published_at without zone \(naive, …\): add one"):
        corpus_for(config, TAXONOMY, QUIET)


def test_annotated_posts_of_the_list_teach_only_from_before(tmp_path: Path) -> None:
    hot = hot_rows(262)
    times = [(title_of(row.text), BEFORE - timedelta(days=200 - i)) for i, row in enumerate(hot)]
    early, late, undated = (
        replace(hot[10], id="e"),
        replace(hot[261], id="l"),
        replace(hot[0], id="u", text="无日期的标题"),
    )
    posts_file(
        tmp_path / "unlabelled.jsonl", [replace(row, category=None, severity=None) for row in (early, late, undated)]
    )
    (tmp_path / "labels.csv").write_text("id,category,severity\ne,other,1\nl,other,1\nu,other,1\n", encoding="utf-8")
    config = TextConfig(
        posts=(posts_file(tmp_path / "posts.jsonl", hot[20:250]),),
        extra=(),
        annotated=(str(tmp_path / "labels.csv"),),
        unlabelled=(str(tmp_path / "unlabelled.jsonl"),),
        before=BEFORE,
        record=str(record(tmp_path / "list.parquet", times)),
    )
    assert [row.id for row in corpus_for(config, TAXONOMY, QUIET).extra] == ["e"]


def test_annotated_posts_of_other_sources_teach_only_from_before(tmp_path: Path) -> None:
    hot = hot_rows(262)
    times = [(title_of(row.text), BEFORE - timedelta(days=200 - i)) for i, row in enumerate(hot)]
    dates = {"e": BEFORE - timedelta(days=1), "l": BEFORE, "u": None}
    posts = [Example(id=key, text=f"甲乙丙{key}", source="shop", published_at=at) for key, at in dates.items()]
    (tmp_path / "labels.csv").write_text("id,category,severity\ne,other,1\nl,other,1\nu,other,1\n", encoding="utf-8")
    config = TextConfig(
        posts=(posts_file(tmp_path / "posts.jsonl", hot[20:250]),),
        extra=(),
        annotated=(str(tmp_path / "labels.csv"),),
        unlabelled=(posts_file(tmp_path / "unlabelled.jsonl", posts),),
        before=BEFORE,
        record=str(record(tmp_path / "list.parquet", times)),
    )
    assert [row.id for row in corpus_for(config, TAXONOMY, QUIET).extra] == ["e", "u"]


def test_too_few_dated_posts_are_told(tmp_path: Path) -> None:
    hot = [replace(row, source="hot") for row in sample_examples()]
    config = TextConfig(posts=(posts_file(tmp_path / "posts.jsonl", hot),), extra=(), annotated=())
    with pytest.raises(CorpusError, match="0 dated posts of hot"):
        read_time_corpus(config, TAXONOMY, QUIET, record(tmp_path / "list.parquet", [("甲", START)]), BEFORE)

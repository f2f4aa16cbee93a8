"""The posts of a run: split once, by near-duplicate group, never touched by the rows that only teach."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import TAXONOMY, read, write
from rich.console import Console

from data.duplicates import near_duplicate_groups
from data.errors import CorpusError
from data.records import Example
from data.samples import sample_examples
from training.corpus import MIN_ROWS, Corpus, fully_labelled, read_corpus, read_rows
from training.text_config import TextConfig

PARTS = ("train", "validation", "test")


@pytest.fixture
def config(tiny_posts: Path) -> TextConfig:
    return TextConfig(posts=(str(tiny_posts),), extra=(), annotated=())


def ids(corpus: Corpus) -> list[list[str]]:
    return [[row.id for row in corpus.part(part)] for part in PARTS]


def test_every_row_is_in_one_part(config: TextConfig) -> None:
    corpus = read(config)
    assert sorted(row for part in ids(corpus) for row in part) == sorted(row.id for row in corpus.examples)
    assert corpus.about["rows"] == {name: len(corpus.part(name)) for name in PARTS} | {"extra": 0}
    assert len(corpus.part("test")) == pytest.approx(0.15 * len(corpus.examples), abs=6)
    assert len(corpus.part("validation")) == pytest.approx(0.10 * len(corpus.examples), abs=6)


def test_near_duplicates_stay_together(config: TextConfig, tmp_path: Path) -> None:
    again = [replace(row, id=f"{row.id}c", text=f"{row.text}！") for row in sample_examples()]
    corpus = read(replace(config, posts=(*config.posts, write(tmp_path / "again.jsonl", again))))
    where = {row: part for part, rows in zip(PARTS, ids(corpus), strict=True) for row in rows}
    groups = near_duplicate_groups([row.text for row in corpus.examples])
    assert len(set(groups)) < len(groups) - 100
    owner: dict[int, str] = {}
    for row, group in zip(corpus.examples, groups, strict=True):
        assert owner.setdefault(group, where[row.id]) == where[row.id]
    assert len(corpus.test_groups) == len(corpus.part("test"))


def test_the_seed_decides_the_split(config: TextConfig) -> None:
    assert ids(read(config)) == ids(read(config))
    assert ids(read(config)) != ids(read(replace(config, seed=8)))


def test_extra_rows_only_teach_and_leave_the_split_alone(config: TextConfig, tmp_path: Path) -> None:
    plain = read(config)
    held_out = [*plain.part("validation"), *plain.part("test")]
    fresh = [
        Example(id=f"x{i}", text=f"第{i}号公告：{'甲乙丙丁戊己庚'[i]}厂停产", category="other", severity=1)
        for i in range(7)
    ]
    leaks = [replace(row, id=f"{row.id}x", text=f"{row.text}。") for row in held_out]
    corpus = read(replace(config, extra=(write(tmp_path / "extra.jsonl", [*fresh, *leaks]),)))
    assert corpus.split == plain.split
    assert ids(corpus)[1:] == ids(plain)[1:]
    assert ids(corpus)[0] == [*ids(plain)[0], *(row.id for row in fresh)]
    assert corpus.about["extra_dropped"] == len(leaks)
    assert corpus.about["rows"]["extra"] == len(fresh)


def test_posts_of_one_event_are_bound_whatever_they_lack(config: TextConfig, tmp_path: Path) -> None:
    """Extra and partly labelled rows of the event of a held-out post must not teach what it says."""
    plain = read(config)
    posts = [replace(row, event=f"e{i // 3}") for i, row in enumerate(plain.examples)]
    config = replace(config, posts=(write(tmp_path / "posts.jsonl", posts),))
    held_out = [*read(config).part("validation"), *read(config).part("test")]
    events = {row.event for row in held_out}
    texts = ["".join(chr(0x4E00 + 37 * i + k) for k in range(12)) for i in range(40)]  # with nothing in common
    partly = [Example(id=f"p{i}", text=text, severity=1, event=f"e{i}") for i, text in enumerate(texts)]
    extra = [replace(row, id=f"x{row.id}", category="other") for row in partly]
    config = replace(
        config,
        posts=(write(tmp_path / "posts.jsonl", [*posts, *partly]),),
        extra=(write(tmp_path / "extra.jsonl", extra),),
    )
    corpus = read(config)
    assert corpus.part("test") == read(replace(config, extra=())).part("test")
    assert {row.event for row in corpus.extra} == {row.event for row in partly} - events
    assert 0 < corpus.about["extra_dropped"] < 80


def test_posts_of_one_event_are_resampled_together(config: TextConfig, tmp_path: Path) -> None:
    posts = [replace(row, event=f"e{i // 6}") for i, row in enumerate(read(config).examples)]
    corpus = read(replace(config, posts=(write(tmp_path / "posts.jsonl", posts),)))
    rows = corpus.part("test")
    assert len(set(corpus.test_groups)) <= len({row.event for row in rows}) < len(rows)
    for event in {row.event for row in rows}:
        assert len({group for row, group in zip(rows, corpus.test_groups, strict=True) if row.event == event}) == 1


def test_an_extra_row_between_two_posts_does_not_move_the_split(config: TextConfig, tmp_path: Path) -> None:
    said = "昨晚在东湖公园门口买的三轮车冰糖葫芦里面全是没有去核的山楂咬下去牙齿都快要崩掉了老板还不承认"
    pair = [
        replace(read(config).examples[0], id=name, text=text)
        for name, text in (("a", "甲乙丙丁戊" + said[5:]), ("b", said[:-5] + "己庚辛壬癸"))
    ]
    assert len(set(near_duplicate_groups([row.text for row in pair]))) == 2
    assert len(set(near_duplicate_groups([said, *(row.text for row in pair)]))) == 1
    config = replace(config, posts=(write(tmp_path / "posts.jsonl", [*read(config).examples, *pair]),))
    between = write(tmp_path / "extra.jsonl", [replace(pair[0], id="c", text=said)])
    assert read(replace(config, extra=(between,))).split == read(config).split


def test_a_source_is_left_out_whole(config: TextConfig, tmp_path: Path) -> None:
    posts = [replace(row, source="hot" if i % 3 else "shop") for i, row in enumerate(read(config).examples)]
    posts.append(Example(id="p", text="这家店三天不回消息", severity=1, source="shop"))
    corpus = read(replace(config, posts=(write(tmp_path / "posts.jsonl", posts),), held_out_source="shop"))
    assert {row.source for row in corpus.part("test")} == {"shop"}
    assert {row.source for row in corpus.part("train") + corpus.part("validation")} == {"hot"}
    more = read(replace(config, posts=(str(tmp_path / "posts.jsonl"),), held_out_source="shop", validation=0.3))
    assert len(more.part("validation")) > 2 * len(corpus.part("validation"))
    with pytest.raises(CorpusError, match=r"no row has source 'nowhere'.*sample"):
        read(replace(config, held_out_source="nowhere"))


def test_a_row_that_lacks_a_label_only_teaches(config: TextConfig, tmp_path: Path) -> None:
    posts = read(config).examples
    partly = [
        Example(id="p1", text="某地仓库深夜起火浓烟滚滚", category="public_safety"),
        Example(id="p2", text="客服三天不回消息", severity=1),
    ]
    corpus = read(replace(config, posts=(write(tmp_path / "posts.jsonl", [*partly, *posts]),)))
    train, validation, test = ids(corpus)
    assert train[-2:] == ["p1", "p2"]
    assert {"p1", "p2"}.isdisjoint(validation + test)
    assert corpus.split == read(config).split
    assert all(fully_labelled(row) for row in corpus.examples)


def test_files_are_named_with_their_hash(config: TextConfig, tiny_posts: Path) -> None:
    assert read(config).about["files"] == {str(tiny_posts): hashlib.sha256(tiny_posts.read_bytes()).hexdigest()}


def test_bad_rows_are_named_and_left_out(config: TextConfig, tiny_posts: Path, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    lines = [
        "not json",
        *tiny_posts.read_text(encoding="utf-8").splitlines(),
        '{"id": "z", "text": "a", "category": "weather"}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    console = Console(record=True, width=400, quiet=False, file=(tmp_path / "log").open("w", encoding="utf-8"))
    corpus = read_corpus(replace(config, posts=(str(path),)), TAXONOMY, console)
    told = console.export_text()
    assert len(corpus.examples) == len(lines) - 2
    assert "posts.jsonl:1: row: not valid JSON" in told
    assert f"posts.jsonl:{len(lines)}: category: 'weather' is not in the taxonomy" in told
    console.file.close()


def test_a_label_that_reads_as_markup_is_only_text(
    config: TextConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The console's markup: "[/x]" closed a tag that was never opened, and ended the run."""
    path = tmp_path / "[old] posts.jsonl"
    path.write_text(Path(config.posts[0]).read_text("utf-8") + '{"id": "z", "text": "a", "category": "[/x]"}', "utf-8")
    read_corpus(replace(config, posts=(str(path),)), TAXONOMY, Console(width=500))
    assert "[old] posts.jsonl:243: category: '[/x]' is not in the taxonomy" in capsys.readouterr().out


def test_too_few_rows_and_absent_files_are_refused(config: TextConfig, tmp_path: Path) -> None:
    few = write(tmp_path / "few.jsonl", sample_examples()[: MIN_ROWS - 1])
    with pytest.raises(CorpusError, match=rf"few\.jsonl: at least {MIN_ROWS}"):
        read(replace(config, posts=(few,)))
    for absent in ({"posts": ("nowhere.jsonl",)}, {"teacher": "a bundle", "unlabelled": ("nowhere.jsonl",)}):
        with pytest.raises(CorpusError, match=r"nowhere\.jsonl: .*such file"):
            read(replace(config, **absent))  # type: ignore[arg-type]
    with pytest.raises(CorpusError, match="0 labelled posts"):
        read(replace(config, posts=()))


@pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl", "posts.parquet"])
def test_a_file_without_a_label_is_told_with_its_columns(config: TextConfig, tmp_path: Path, name: str) -> None:
    """It said "0 labelled posts", and nothing of the column that is named otherwise."""
    table = pa.table({"id": [str(i) for i in range(230)], "text": [f"好{i}" for i in range(230)]})
    table = table.append_column("category", pa.array(["other"] * 230)).append_column("level", pa.array([1] * 230))
    lines = [",".join(table.column_names), *(",".join(map(str, row.values())) for row in table.to_pylist())]
    if name.endswith("parquet"):
        pq.write_table(table, tmp_path / name)
    else:
        jsonl = [json.dumps(row) for row in table.to_pylist()]
        (tmp_path / name).write_text("\n".join(lines if name.endswith("csv") else jsonl), encoding="utf-8")
    told = (
        "230 rows read, 230 without severity; columns found: id, text, category, level; wanted: id, text, category, s"
    )
    with pytest.raises(CorpusError, match=f"0 labelled posts in .*: at least 200 are needed: {told}"):
        read(replace(config, posts=(str(tmp_path / name),)))
    with pytest.raises(CorpusError, match=f"no post with category and severity in .*: {told}"):
        read_rows([str(tmp_path / name)], TAXONOMY, Console(quiet=True))


def test_texts_with_two_labels_are_told(config: TextConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twice = [
        Example(id="y1", text="甲乙丙丁", category="other", severity=1),
        Example(id="y2", text="甲乙丙丁", category="other", severity=3),
        Example(id="y3", text="甲乙丙丁", category="product_quality", severity=2),
        Example(id="z1", text="戊己庚辛", category="other"),
        Example(id="z2", text="戊己庚辛", category="other", severity=1),
    ]
    path = write(tmp_path / "posts.jsonl", [*read(config).examples, *twice])
    corpus = read_corpus(replace(config, posts=(path,)), TAXONOMY, Console(width=500))
    assert {"y1", "y2", "y3"} <= {row.id for row in corpus.examples}
    told = "labelled in two ways 1 texts, such as y1 (severity 1) and y2 (3): all of them count: decide on one"
    assert told in capsys.readouterr().out


def test_posts_that_are_all_alike_are_told(config: TextConfig, tmp_path: Path) -> None:
    alike = [
        Example(id=str(i), text="退款三天了还没到账，客服也不回", category="other", severity=1) for i in range(230)
    ]
    with pytest.raises(CorpusError, match=r"part is empty: the 230 rows make 1 group\(s\) of near-duplicates"):
        read(replace(config, posts=(write(tmp_path / "posts.jsonl", alike),)))


def test_a_time_that_is_not_read_is_told(
    config: TextConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "posts.jsonl"
    odd = '{"id": "z", "text": "甲乙丙丁", "category": "other", "severity": 1, "published_at": "昨天"}'
    path.write_text(Path(config.posts[0]).read_text("utf-8") + odd, "utf-8")
    corpus = read_corpus(replace(config, posts=(str(path),)), TAXONOMY, Console(width=500))
    assert "z" in {row.id for row in corpus.examples}
    assert "not read" in (told := capsys.readouterr().out)
    assert "posts.jsonl:243: published_at: '昨天' is read as null" in told


def test_the_title_of_a_held_out_hot_search_post_does_not_teach(config: TextConfig, tmp_path: Path) -> None:
    body = "。网友晒出聊天记录，客服三次改口，事发地的门店已经关门，当事人说还在等一个说法，后续仍在处理"
    posts = [
        replace(row, source="hot", text=f"{row.text.replace('。', '，')[:12]}{row.id}{body}") if i % 2 else row
        for i, row in enumerate(read(config).examples)
    ]
    config = replace(config, posts=(write(tmp_path / "posts.jsonl", posts),))
    titles = [Example(id=f"t{row.id}", text=row.text.split("。")[0], source="hot") for row in posts[1::2]]
    others = [replace(row, id=f"s{row.id}", source="shop") for row in titles]
    labelled = [replace(row, category="other", severity=1) for row in (*titles, *others)]
    corpus = read(replace(config, extra=(write(tmp_path / "extra.jsonl", labelled),)))
    held_out = {row.id for part in ("validation", "test") for row in corpus.part(part) if row.source == "hot"}
    taught = {row.id for row in corpus.extra}
    assert held_out
    assert {row.id for row in titles} - taught == {f"t{id_}" for id_ in held_out}
    assert {row.id for row in others} <= taught  # of another source: no title

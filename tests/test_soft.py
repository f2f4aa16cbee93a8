"""Self-training: what of a teacher's answers is taught, to whom, and in which epoch."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from data.duplicates import near_any
from data.errors import CorpusError
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, text_part
from models.classifier import IGNORED
from models.encoder import load_encoder
from models.text import TextModel, TextPredictions
from models.tokens import Tokens
from training.corpus import read_corpus
from training.posts import load_posts
from training.soft import MixedPosts, SoftPosts, read_soft_posts, soft_labels, soft_steps, spread
from training.text import train_text
from training.text_config import TextConfig
from training.text_data import Posts

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
EXAMPLES = sample_examples()


@pytest.fixture
def config(tiny_config: TextConfig, trained_bundle: Bundle, tmp_path: Path) -> TextConfig:
    """The tiny run, taught by the tiny model on 40 texts of which the first repeats a test post."""
    test_post = read_corpus(tiny_config, TAXONOMY, QUIET).part("test")[0].text
    texts = [test_post, *(f"第{n}条：快递又慢了{n * n}天，客服电话打不通，等了{n}小时" for n in range(39))]
    path = tmp_path / "unlabelled.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "text": t}) + "\n" for n, t in enumerate(texts)))
    return replace(
        tiny_config,
        teacher=str(trained_bundle.folder),
        unlabelled=(str(path),),
        soft_rows=20,
        out=str(tmp_path / "run"),
    )


def test_steps_are_conditional_and_only_taught_where_likely_reached() -> None:
    steps = soft_steps(np.array([0.1, 0.2, 0.35, 0.35, 0.0]))
    assert steps == pytest.approx([0.7 / 0.9, 0.35 / 0.7, IGNORED])
    assert soft_steps(np.array([0.9, 0.1, 0.0, 0.0, 0.0])) == [IGNORED] * 3


def test_rare_decisions_are_drawn_more_often() -> None:
    category = np.eye(2)[[0] * 900 + [1] * 100]
    kept = spread(category, 200, 0)
    assert len(set(kept.tolist())) == 200
    assert (kept >= 900).mean() > 0.18
    np.testing.assert_array_equal(kept, spread(category, 200, 0))
    assert sorted(spread(category, 5_000, 0)) == list(range(1_000))


def test_each_epoch_has_other_soft_posts_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(3, 200, 30)
    soft = SoftPosts([[5] * n for n in lengths], np.eye(30, len(TAXONOMY.ids)), np.full((30, 5), 0.2))
    labelled = Posts([[1, 2]], EXAMPLES[:1], TAXONOMY, 0.1)
    mixed = MixedPosts(labelled, soft, 3)
    assert len(mixed) == 1 + 10
    seen = []
    for epoch in range(3):
        mixed.epoch = epoch
        assert mixed[0]["input_ids"] == [1, 2]
        seen.append([mixed[i]["length"] for i in range(1, 11)])
    places = np.array(seen)  # [epochs, places]
    assert sorted(places.ravel()) == sorted(lengths)
    assert (places.max(0)[:-1] <= places.min(0)[1:]).all()


def test_near_any_finds_copies_only() -> None:
    texts = ["快递三天没有动静，客服也不回话", "今天天气很好适合出门散步"]
    assert near_any(texts, ["快递三天没有动静，客服也不回话！"]).tolist() == [True, False]


def test_near_copies_of_held_out_posts_are_not_taught(config: TextConfig, trained_bundle: Bundle) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    encoder = load_encoder(config.encoder)
    tokens = Tokens(encoder.tokenizer.backend_tokenizer, config.max_tokens)
    soft = read_soft_posts(trained_bundle, replace(config, soft_rows=40), corpus, tokens, TAXONOMY, QUIET)
    assert len(soft.ids) == 39
    assert tokens.encode([corpus.part("test")[0].text])[0] not in soft.ids
    np.testing.assert_allclose(soft.category.sum(1), 1)
    np.testing.assert_allclose(soft.severity.sum(1), 1)


def test_posts_that_a_label_teaches_are_not_taught_softly_too(config: TextConfig, trained_bundle: Bundle) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    tokens = Tokens(load_encoder(config.encoder).tokenizer.backend_tokenizer, config.max_tokens)
    taught = load_posts(config.unlabelled, TAXONOMY, QUIET)[1:6]  # the first repeats a test post
    soft = read_soft_posts(
        trained_bundle, replace(config, soft_rows=40), replace(corpus, extra=taught), tokens, TAXONOMY, QUIET
    )
    assert len(soft.ids) == 34
    assert not any(ids in soft.ids for ids in tokens.encode([row.text for row in taught]))
    others = [replace(row, text="另一个文件里的帖子") for row in taught]  # whose ids are the same
    soft = read_soft_posts(
        trained_bundle, replace(config, soft_rows=40), replace(corpus, extra=others), tokens, TAXONOMY, QUIET
    )
    assert len(soft.ids) == 39


def test_the_teacher_is_asked_once_per_run(
    config: TextConfig, trained_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    tokens = Tokens(load_encoder(config.encoder).tokenizer.backend_tokenizer)
    first = read_soft_posts(trained_bundle, config, corpus, tokens, TAXONOMY, QUIET)
    monkeypatch.setattr("models.text.TextModel.predict", None)
    again = read_soft_posts(trained_bundle, config, corpus, tokens, TAXONOMY, QUIET)
    np.testing.assert_array_equal(first.category, again.category)


def test_posts_of_another_time_or_of_a_held_out_event_are_not_taught_softly(
    config: TextConfig, trained_bundle: Bundle, tmp_path: Path
) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    tokens = Tokens(load_encoder(config.encoder).tokenizer.backend_tokenizer)
    lines = Path(config.unlabelled[0]).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) | {"source": "shop"} for line in lines]
    for row, at in zip(rows[1:4], ("2025-06-01", "2025-07-01", "2025-08-01"), strict=True):
        row["published_at"] = f"{at}T00:00:00+08:00"
    rows[10]["event"] = "held out"
    rows[11]["source"] = "hot"  # the list does not date it
    path = tmp_path / "dated.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    times = pa.array([datetime(2025, 1, 1, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"time": times, "title": ["甲"]}), tmp_path / "list.parquet")
    first = corpus.split.test[0]
    told = [replace(row, event="held out") if i == first else row for i, row in enumerate(corpus.examples)]
    soft = read_soft_posts(
        trained_bundle,
        replace(
            config,
            unlabelled=(str(path),),
            before=datetime(2025, 7, 1, tzinfo=UTC),
            record=str(tmp_path / "list.parquet"),
            soft_rows=40,
        ),
        replace(corpus, examples=tuple(told)),
        tokens,
        TAXONOMY,
        QUIET,
    )
    out = {3, 10, 11}  # the midnight of row 2 in Shanghai is still June in UTC
    assert sorted(soft.ids) == sorted(tokens.encode([row["text"] for i, row in enumerate(rows) if i and i not in out]))


def test_a_kill_while_the_answers_are_written_leaves_none(
    trained_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are answers to other posts taken for those to as many of these."""
    cache, texts = tmp_path / "soft.npz", ["快递三天没有动静", "今天天气很好"]

    def killed(file: Path, **_: object) -> None:
        file.write_bytes(b"PK")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", killed)
        with pytest.raises(KeyboardInterrupt):
            soft_labels(trained_bundle, texts, cache, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["building.lock"]
    first, _ = soft_labels(trained_bundle, texts, cache, 1)
    again, _ = soft_labels(trained_bundle, texts[::-1], cache, 1)
    np.testing.assert_allclose(again, first[::-1], atol=1e-5)


def test_of_processes_that_train_together_one_asks_the_teacher(
    trained_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `torchrun` each one read all unlabelled posts."""
    asked, predict, texts = list[int](), TextModel.predict, ["快递三天没有动静", "今天天气很好"]

    def slow(model: TextModel, texts: Sequence[str]) -> TextPredictions:
        asked.append(len(texts))
        time.sleep(0.2)
        return predict(model, texts)

    monkeypatch.setattr(TextModel, "predict", slow)
    with ThreadPoolExecutor(3) as pool:
        found = [*pool.map(lambda _: soft_labels(trained_bundle, texts, tmp_path / "run" / "soft.npz", 1), range(3))]
    assert asked == [2]
    for category, severity in found[1:]:
        np.testing.assert_array_equal(category, found[0][0])
        np.testing.assert_array_equal(severity, found[0][1])


def test_too_few_unlabelled_posts_are_refused(config: TextConfig, trained_bundle: Bundle) -> None:
    corpus = read_corpus(config, TAXONOMY, QUIET)
    tokens = Tokens(load_encoder(config.encoder).tokenizer.backend_tokenizer)
    with pytest.raises(CorpusError, match="at least 50"):
        read_soft_posts(trained_bundle, replace(config, epochs=50), corpus, tokens, TAXONOMY, QUIET)
    with pytest.raises(CorpusError, match="0 posts for the teacher in no file"):
        read_soft_posts(trained_bundle, replace(config, unlabelled=()), corpus, tokens, TAXONOMY, QUIET)
    with pytest.raises(CorpusError, match=r"39 posts .* soft_rows=2 are taught: at least 3 are needed"):
        read_soft_posts(trained_bundle, replace(config, epochs=3, soft_rows=2), corpus, tokens, TAXONOMY, QUIET)


def test_a_taught_model_is_another_model_that_names_its_teacher(config: TextConfig, trained_bundle: Bundle) -> None:
    bundle = train_text(config, QUIET)
    part = text_part(bundle)
    assert part.config["teacher"] == str(trained_bundle.folder)
    assert part.data["teacher"] == trained_bundle.model_id
    assert part.data["files"].keys() == {*config.posts, *config.unlabelled}
    assert part.data["ancestors"] == []  # they learnt from no other files
    assert bundle.manifest.files["adapter.safetensors"] != trained_bundle.manifest.files["adapter.safetensors"]
    assert part.data["rows"]["soft"] == 20

"""A run that begins with an earlier bundle: it goes on from there, and never from one that saw what is held out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from corpora import as_if
from rich.console import Console
from safetensors.torch import load, save_file

from data.errors import BundleError, CorpusError
from data.records import Item, Volume
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.adapter import average_adapter, trained_weights
from models.bundle import ADAPTER, Bundle, escalation_file, save_part, text_part
from models.encoder import load_encoder
from models.engine_build import load_text_model
from models.manifest import EscalationPart
from models.scorer import Scorer
from models.taught import file_sha256
from training.corpus_time import corpus_for
from training.earlier import earlier_bundle, held_out_before
from training.evaluate_rows import trained_corpus
from training.text import train_text
from training.text_config import TextConfig
from training.text_fit import build_classifier

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
TEXTS = [row.text for row in sample_examples()[:20]]


def test_a_run_that_learns_nothing_ends_where_it_began(
    tiny_config: TextConfig, trained_bundle: Bundle, tmp_path: Path
) -> None:
    start = str(trained_bundle.folder)
    config = replace(tiny_config, start=start, epochs=1, learning_rate=1e-12, out=str(tmp_path))
    bundle = train_text(config, QUIET)
    assert text_part(bundle).data["start"] == trained_bundle.model_id
    one, other = (load_text_model(found, "torch", threads=1) for found in (trained_bundle, bundle))
    for first, second in zip(*(m.engine.logits(m.tokens.encode(TEXTS)) for m in (one, other)), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-3)
    assert "began with the adapter of `" + trained_bundle.model_id in (bundle.folder / "MODEL_CARD.md").read_text()


def test_the_average_lies_between_both(tiny_config: TextConfig, trained_bundle: Bundle) -> None:
    encoder = load_encoder(tiny_config.encoder)
    fresh = build_classifier(encoder, tiny_config, TAXONOMY)
    before = {name: weight.clone() for name, weight in trained_weights(fresh).items()}
    blob = trained_bundle.read(ADAPTER)
    after = trained_weights(average_adapter(fresh, blob, 0.25))
    for name, other in load(blob).items():
        torch.testing.assert_close(after[name], 0.25 * other.float() + 0.75 * before[name])
    assert any(not torch.equal(after[name], before[name]) for name in after)


def grown(tiny_posts: Path, path: Path) -> str:
    """The tiny corpus with one post more."""
    more = '{"id": "new", "text": "某地停电三小时", "category": "public_safety", "severity": 1}\n'
    path.write_text(tiny_posts.read_text(encoding="utf-8") + more, encoding="utf-8")
    return str(path)


def test_the_same_posts_with_more_rows_or_files_are_refused(
    tiny_config: TextConfig, trained_bundle: Bundle, tiny_posts: Path, tmp_path: Path
) -> None:
    """The split depends on all rows: what is held out now may have been in the training part then."""
    start, own = str(trained_bundle.folder), str(tiny_posts)
    more = replace(tiny_config, posts=(own, grown(tiny_posts, tmp_path / "more.jsonl")))
    with pytest.raises(CorpusError, match=rf"{own} or a file of that name taught .* with other rows than now"):
        earlier_bundle(start, more, TAXONOMY)
    moved = tmp_path / "bundle"
    shutil.copytree(trained_bundle.folder, moved)
    part = text_part(trained_bundle)
    config, files = {**part.config, "posts": more.posts[1:]}, {more.posts[1]: "what the file was before it grew"}
    save_part(moved, TAXONOMY, {}, text=replace(part, config=config, data={**part.data, "files": files}))
    with pytest.raises(CorpusError, match=r"more\.jsonl or a file of that name taught .* with other rows"):
        earlier_bundle(str(moved), replace(more, posts=more.posts[1:]), TAXONOMY)


def test_what_only_taught_and_has_grown_is_not_held_out(
    tiny_config: TextConfig, trained_bundle: Bundle, tiny_posts: Path, tmp_path: Path
) -> None:
    """Its hash is another one, but all rows that it had then taught the start."""
    extra, moved = grown(tiny_posts, tmp_path / "extra.jsonl"), tmp_path / "bundle"
    shutil.copytree(trained_bundle.folder, moved)
    part = text_part(trained_bundle)
    for key in ("extra", "annotated"):
        files = {**part.data["files"], extra: "what the file was before it grew"}
        changed = replace(part, config={**part.config, key: (extra,)}, data={**part.data, "files": files})
        save_part(moved, TAXONOMY, {}, text=changed)
        with pytest.raises(CorpusError, match=r"extra\.jsonl or a file of that name taught .* with other rows"):
            earlier_bundle(str(moved), replace(tiny_config, posts=(extra,)), TAXONOMY)


def test_a_user_goes_on_with_other_posts_and_the_files_of_the_start_are_remembered(
    tiny_config: TextConfig, trained_bundle: Bundle, tiny_posts: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text(tiny_posts.read_text(encoding="utf-8").replace('"text": "', '"text": "我要说：'), encoding="utf-8")
    config = replace(tiny_config, posts=(str(mine),), start=str(trained_bundle.folder), seed=8, out=str(tmp_path))
    bundle = train_text(config, QUIET)
    assert text_part(bundle).data["ancestors"] == [file_sha256(str(tiny_posts))]
    with pytest.raises(CorpusError, match="or a bundle that it began with"):
        trained_corpus(bundle, tiny_config.posts, TAXONOMY, QUIET)
    with pytest.raises(CorpusError, match=r"taught .* with other rows than now"):  # the start of the start
        earlier_bundle(str(bundle.folder), tiny_config, TAXONOMY)


def test_the_heads_of_the_start_go_on_into_the_new_bundle(
    tiny_config: TextConfig, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    """Else a bundle that a user has tuned could not score volumes any more; a head of its own stays."""
    config, name = replace(tiny_config, start=str(tiny_bundle.folder), out=str(tmp_path)), escalation_file("counts")
    bundle = train_text(config, QUIET)
    assert bundle.read(name) == tiny_bundle.read(name)
    assert bundle.manifest.escalation == tiny_bundle.manifest.escalation
    volume = Volume(as_of=datetime(2026, 3, 15, tzinfo=UTC), counts=(2.0, 3.0, 1.0, 4.0, 8.0, 13.0))
    (result,) = Scorer.load(bundle.folder, threads=1).score([Item(volume=volume)])
    assert result.escalation is not None
    own = EscalationPart(config={"own": True})
    save_part(bundle.folder, TAXONOMY, {name: tiny_bundle.read(name)}, escalation={"counts": own})
    assert train_text(config, QUIET).manifest.escalation == {"counts": own}


def test_an_adapter_is_not_put_on_another_encoder(
    tiny_config: TextConfig, trained_bundle: Bundle, tmp_path: Path
) -> None:
    """Of the same shapes, so that only the hash tells."""
    other = tmp_path / "encoder"
    shutil.copytree(tiny_config.encoder, other)
    weights = load((other / "model.safetensors").read_bytes())
    first = next(iter(weights))
    weights[first] = weights[first] + 1
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    config = replace(tiny_config, encoder=str(other), start=str(trained_bundle.folder), out=str(tmp_path / "run"))
    with pytest.raises(BundleError, match=r"was trained on .* give the same one, or begin without `start`"):
        train_text(config, QUIET)


@pytest.mark.parametrize("other", [{"seed": 8}, {"test": 0.2}, {"held_out_source": "sample"}])
def test_a_bundle_of_another_protocol_is_refused(
    tiny_config: TextConfig, trained_bundle: Bundle, other: dict[str, object]
) -> None:
    folder = str(trained_bundle.folder)
    assert earlier_bundle(folder, tiny_config, TAXONOMY).model_id == trained_bundle.model_id
    with pytest.raises(CorpusError, match=f"{next(iter(other))}=.*what is held out now"):
        earlier_bundle(folder, replace(tiny_config, **other), TAXONOMY)  # type: ignore[arg-type]


def test_a_run_from_the_beginning_holds_out_what_another_bundle_held_out(
    tiny_config: TextConfig, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    """Else two bundles of one corpus are measured on different posts as soon as a version reads one otherwise."""
    dealt = as_if(tiny_bundle, replace(tiny_config, seed=tiny_config.seed + 1), tmp_path / "dealt")
    bundle = train_text(replace(tiny_config, split_of=str(dealt.folder), out=str(tmp_path / "run")), QUIET)
    assert text_part(bundle).data["held_out"] == text_part(dealt).data["held_out"]
    assert "ancestors" not in text_part(bundle).data


def test_a_run_holds_out_what_its_start_held_out(tiny_config: TextConfig, tiny_bundle: Bundle, tmp_path: Path) -> None:
    """However this version would deal: what is held out now must not have taught the start."""
    dealt = as_if(tiny_bundle, replace(tiny_config, seed=tiny_config.seed + 1), tmp_path / "dealt")
    before = held_out_before([dealt], tiny_config)
    assert before == text_part(dealt).data["held_out"] != text_part(tiny_bundle).data["held_out"]
    assert corpus_for(tiny_config, TAXONOMY, QUIET, before).about["held_out"] == before
    with pytest.raises(CorpusError, match="start, teacher and split_of held out different posts"):
        held_out_before([dealt, tiny_bundle], tiny_config)
    part = text_part(dealt)
    older = {name: value for name, value in part.data.items() if name != "held_out"}
    silent = save_part(dealt.folder, TAXONOMY, {}, text=replace(part, data=older))
    with pytest.raises(CorpusError, match="does not tell which posts it held out"):
        held_out_before([silent], tiny_config)
    assert held_out_before([], tiny_config) is None
    with pytest.raises(CorpusError, match=r"split_of=other: it dealt out other posts: give those"):
        held_out_before([], replace(tiny_config, split_of="other"))

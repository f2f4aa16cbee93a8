"""`train_text` from posts to a bundle that scores: everything a run leaves behind, on the tiny encoder."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from safetensors.torch import load_file, save_file

from data.errors import BundleError, ConfigError, CorpusError, EncoderError
from data.records import Item
from data.samples import sample_examples
from data.taxonomy import as_toml, load_taxonomy
from models.bundle import ADAPTER, CARD, Bundle, open_bundle, save_part, text_part
from models.engine_build import load_text_model
from models.scorer import Scorer
from training.card import card
from training.escalation import train_escalation
from training.escalation_config import EscalationConfig
from training.escalation_recalibrate import recalibrate
from training.hotlist import train_hotlist
from training.hotlist_config import HotlistConfig
from training.one_category import only
from training.register import register
from training.text import calibrate, train_text
from training.text_config import TextConfig
from training.text_report import FIGURES

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)


def test_the_bundle_opens_and_says_how_it_was_made(trained_bundle: Bundle, tiny_config: TextConfig) -> None:
    opened = open_bundle(trained_bundle.folder)
    assert opened.folder == Path(tiny_config.out) / "bundle"
    assert opened.model_id == trained_bundle.model_id
    part = text_part(opened)
    assert part.config == json.loads(json.dumps(asdict(tiny_config)))
    assert part.data["files"].keys() == {*tiny_config.posts}
    assert sum(part.data["rows"].values()) == 242


def test_a_scorer_loads_it_and_scores(trained_bundle: Bundle) -> None:
    scorer = Scorer.load(trained_bundle.folder, threads=1)
    (result,) = scorer.score([Item(id="a", text="这家店卖的是假货，要投诉")])
    assert (result.id, result.error, result.model) == ("a", None, trained_bundle.model_id)
    assert result.category is not None
    assert set(result.category.probabilities) == set(TAXONOMY.ids)


def test_both_models_are_measured_on_the_same_rows_with_intervals(trained_bundle: Bundle) -> None:
    part = text_part(trained_bundle)
    assert set(part.metrics) == {"yujing", "bert", "tfidf"}
    for report in part.metrics.values():
        assert report["rows"] == part.data["rows"]["test"]
        assert sum(map(sum, report["confusion"])) == sum(map(sum, report["severity_confusion"])) == report["rows"]
        for name in FIGURES:
            value, low, high = report[name]
            assert low <= high
            assert 0 <= value <= 1 or name in ("qwk", "log_loss")
    assert part.metrics["tfidf"]["accuracy"][0] > 1.5 / len(TAXONOMY.ids)  # better than chance on 30 posts


def test_the_card_tells_what_the_manifest_holds(trained_bundle: Bundle) -> None:
    card = (trained_bundle.folder / CARD).read_text(encoding="utf-8")
    part = text_part(trained_bundle)
    assert trained_bundle.model_id in card
    assert part.encoder_sha256 in card
    for report in part.metrics.values():
        assert "{:.3f} [{:.3f}, {:.3f}]".format(*report["macro_f1"]) in card
    assert "$" not in card


def test_the_same_bundle_is_registered_once(trained_bundle: Bundle, own_folders: Path) -> None:
    tag = register(trained_bundle)
    assert tag == f"yujing-risk:{trained_bundle.manifest.digest[:12]}"
    assert register(trained_bundle) == tag
    stored = [path.parent for path in (own_folders / "bentoml").rglob(f"{tag.split(':')[1]}/manifest.json")]
    assert len(stored) == 1
    assert open_bundle(stored[0]).model_id == trained_bundle.model_id


def test_a_run_that_is_over_leaves_no_checkpoints(trained_bundle: Bundle) -> None:
    assert [path.name for path in trained_bundle.folder.parent.iterdir()] == ["bundle"]


def test_a_store_that_cannot_be_written_is_told_with_the_place_of_the_bundle(
    trained_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked last, when the training is over."""

    def refuse(tag: str) -> None:
        raise OSError(30, "Read-only file system", "/home/bentoml")

    monkeypatch.setattr("bentoml.models.get", refuse)
    with pytest.raises(ConfigError, match=r"bundle is complete, only not .*Read-only file system.*BENTOML_HOME"):
        register(trained_bundle)


def test_a_run_whose_store_could_not_be_written_keeps_what_it_goes_on_from(
    tiny_config: TextConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(bundle: Bundle) -> str:
        raise ConfigError("no store: repeat")

    config = replace(tiny_config, out=str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr("training.text.register", refuse)
        with pytest.raises(ConfigError, match="no store"):
            train_text(config, QUIET)
    steps = [*config.checkpoints.glob("checkpoint-*")]
    assert steps
    made = (tmp_path / "bundle" / ADAPTER).read_bytes()
    monkeypatch.setattr("transformers.Trainer.training_step", None)  # nothing is left to train
    train_text(config, QUIET)
    assert (tmp_path / "bundle" / ADAPTER).read_bytes() == made
    assert not config.checkpoints.exists()


@pytest.mark.parametrize("changed", ["taxonomy", "encoder"])
def test_a_run_does_not_go_on_under_another_table_or_encoder_of_the_same_name(
    tiny_config: TextConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """Its heads would mean other categories, unsaid where these are as many; its adapter belongs on another encoder."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    table, encoder = tmp_path / "mine.toml", tmp_path / "encoder"
    table.write_text(as_toml(TAXONOMY), encoding="utf-8")
    shutil.copytree(tiny_config.encoder, encoder)
    config = replace(tiny_config, taxonomy=str(table), encoder=str(encoder), out=str(tmp_path / "run"))
    with monkeypatch.context() as patch:
        patch.setattr("training.text._finish", killed)
        with pytest.raises(KeyboardInterrupt):
            train_text(config, QUIET)
    if changed == "taxonomy":
        none, first, *others = TAXONOMY.categories
        table.write_text(as_toml(replace(TAXONOMY, categories=(none, *others, first))), encoding="utf-8")
        load_taxonomy.cache_clear()  # as in the next process
    else:
        weights = load_file(encoder / "model.safetensors")
        save_file({name: one + 1 for name, one in weights.items()}, encoder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigError, match=rf"other data \({changed}\)"):
        train_text(config, QUIET)


def test_too_few_posts_are_refused_before_anything_is_trained(tiny_config: TextConfig, tmp_path: Path) -> None:
    posts = tmp_path / "few.jsonl"
    posts.write_text('{"id": "a", "text": "假货", "category": "counterfeit_ip", "severity": 2}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"1 labelled posts in .*few\.jsonl: at least 200"):
        train_text(replace(tiny_config, posts=(str(posts),), out=str(tmp_path / "run")), QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("label", [{"category": "other"}, {"severity": 2}])
def test_posts_of_one_kind_are_refused_before_anything_is_trained(
    tiny_config: TextConfig, tmp_path: Path, label: dict[str, object]
) -> None:
    lines = Path(tiny_config.posts[0]).read_text(encoding="utf-8").splitlines()
    crises = [row for row in map(json.loads, lines) if row["severity"]]
    posts = tmp_path / "one.jsonl"
    rows = [{**row, **label, "id": f"{i}", "text": f"{row['text']}{i}"} for i, row in enumerate(crises * 2)]
    posts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    ((name, value),) = label.items()
    with pytest.raises(CorpusError, match=rf"posts that teach have {name} {value}: at least two"):
        train_text(replace(tiny_config, posts=(str(posts),), out=str(tmp_path / "run")), QUIET)
    assert not (tmp_path / "run").exists()


def test_posts_of_one_kind_that_calibrate_are_refused_before_anything_is_trained(
    tiny_config: TextConfig, tmp_path: Path
) -> None:
    """Some dozens without a crisis among them had most crises answered with none."""
    lines = Path(tiny_config.posts[0]).read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if not row["severity"]]
    crisis = next(row for row in map(json.loads, lines) if row["severity"])
    many = [{**row, "id": f"{i}", "text": f"{row['text']}{i * 7919}"} for i, row in enumerate((rows * 250)[:250])]
    posts = tmp_path / "few.jsonl"
    posts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (crisis, *many)), encoding="utf-8")
    with pytest.raises(CorpusError, match="posts that calibrate have category none: at least two"):
        train_text(replace(tiny_config, posts=(str(posts),), out=str(tmp_path / "run")), QUIET)
    assert not (tmp_path / "run").exists()


def test_a_training_that_diverged_is_told(trained_bundle: Bundle) -> None:
    model = load_text_model(trained_bundle, "torch", threads=1)
    nothing = np.full((8, len(TAXONOMY.ids)), np.nan), np.zeros((8, 4))
    lost = replace(model, engine=SimpleNamespace(logits=lambda rows: nothing))
    with pytest.raises(ConfigError, match="lower learning_rate"):
        calibrate(lost, sample_examples()[:8], TAXONOMY)


def test_a_bundle_in_the_way_is_told_before_anything_is_trained(
    trained_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    shutil.copytree(trained_bundle.folder, tmp_path / "bundle")
    table = tmp_path / "mine.toml"
    table.write_text(as_toml(only(TAXONOMY, "other")), encoding="utf-8")
    config = replace(tiny_config, out=str(tmp_path))
    with pytest.raises(BundleError, match=r"made for the categories .*give another out"):
        train_text(replace(config, taxonomy=str(table)), QUIET)
    (tmp_path / "bundle" / "tokenizer.json").write_text("{}", encoding="utf-8")
    for run in (
        lambda: train_text(config, QUIET),
        lambda: train_escalation(EscalationConfig(out=str(tmp_path)), QUIET),
        lambda: train_hotlist(HotlistConfig(out=str(tmp_path)), QUIET),
        lambda: recalibrate("counts", EscalationConfig(out=str(tmp_path)), QUIET),
    ):
        with pytest.raises(BundleError, match=r"tampered with; the new part"):
            run()
    assert not (tmp_path / "checkpoints").exists()


def test_the_manifest_and_the_card_have_no_nan(trained_bundle: Bundle, tmp_path: Path) -> None:
    """A small test part has no post of some category or of rank 3: their figures are none, which JSON calls null."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    nan, part = float("nan"), text_part(trained_bundle)
    report = {**part.metrics["yujing"], "under_grading": [nan, nan, nan], "per_class_f1": {"none": 0.5, "other": nan}}
    made = save_part(tmp_path / "bundle", TAXONOMY, {}, text=replace(part, metrics={"yujing": report}))
    manifest = json.loads((made.folder / "manifest.json").read_text("utf-8"), parse_constant=refuse)
    assert manifest["text"]["metrics"]["yujing"]["under_grading"] == [None, None, None]
    for text in (card(made), card(open_bundle(made.folder))):
        assert "under_grading | – [–, –] |" in text
        assert "none 0.50, other –" in text


def test_an_encoder_that_is_not_there_is_one_clear_error(tiny_config: TextConfig, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no-such"):
        train_text(replace(tiny_config, encoder=str(tmp_path / "no-such"), out=str(tmp_path / "run")), QUIET)

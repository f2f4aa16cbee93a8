"""`train text --recalibrate`: weights stay, the level follows the posts, and what calibrated is never measured."""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recalibrated import STREAM, config_of
from rich.console import Console

from data.errors import ConfigError, CorpusError
from data.records import Item
from data.taxonomy import load_taxonomy
from models.bundle import ADAPTER, CARD, LEXICAL, TABLE, TOKENIZER, Bundle, escalation_file, open_bundle, text_part
from models.engine_build import load_text_model
from models.scorer import Scorer
from models.taught import file_sha256
from serving.cli import main
from training.compare import CompareConfig, shared_rows
from training.config import load_config
from training.corpus_time import corpus_for
from training.earlier import earlier_bundle
from training.evaluate import evaluate
from training.evaluate_config import EvaluateConfig
from training.evaluate_rows import trained_corpus
from training.first_stage import FirstStageConfig, train_first_stage
from training.metrics import log_loss
from training.one_category import main as ask_one
from training.text import labels, train_text
from training.text_config import TextConfig
from training.text_recalibrate import recalibrate_text
from training.text_report import FIGURES

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)
WEIGHTS = (ADAPTER, TOKENIZER, LEXICAL)


@pytest.fixture(scope="module")
def told() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="module")
def elsewhere(tiny_bundle: Bundle, told: Console, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny bundle, calibrated on a stream with other shares than those of its training."""
    return recalibrate_text(config_of(tiny_bundle, STREAM, tmp_path_factory.mktemp("mine")), told)


def test_weights_and_heads_are_the_same_bytes(tiny_bundle: Bundle, elsewhere: Bundle) -> None:
    for name in (*WEIGHTS, escalation_file("counts")):
        assert elsewhere.read(name) == tiny_bundle.read(name)
    assert elsewhere.manifest.files == tiny_bundle.manifest.files
    assert elsewhere.manifest.escalation == tiny_bundle.manifest.escalation
    assert elsewhere.model_id != tiny_bundle.model_id
    before, after = text_part(tiny_bundle), text_part(open_bundle(elsewhere.folder))
    assert after.calibration != before.calibration
    assert after.first_stage != before.first_stage


def test_probabilities_are_truer_where_the_shares_are_others(elsewhere: Bundle, told: Console) -> None:
    found = text_part(elsewhere).metrics
    assert found.keys() == {"yujing", "old_calibration"}
    assert found["yujing"]["log_loss"][2] < found["old_calibration"]["log_loss"][1]  # the intervals lie apart
    said = told.file.getvalue()  # type: ignore[attr-defined]
    for name in FIGURES:
        old, new = ("{:.3f} [{:.3f}, {:.3f}]".format(*found[key][name]) for key in ("old_calibration", "yujing"))
        assert any(name in line and old in line and new in line for line in said.splitlines())
    assert "not better" not in said
    assert "tfidf" not in said


def test_what_the_table_says_is_what_both_bundles_answer(tiny_bundle: Bundle, elsewhere: Bundle) -> None:
    rows = trained_corpus(elsewhere, (STREAM,), TAXONOMY, QUIET).part("test")  # type: ignore[union-attr]
    for bundle, name in ((tiny_bundle, "old_calibration"), (elsewhere, "yujing")):
        results = Scorer.load(bundle.folder, "torch", threads=1).score([Item(text=row.text) for row in rows])
        right = [
            result.category and result.category.id == row.category for result, row in zip(results, rows, strict=True)
        ]
        assert text_part(elsewhere).metrics[name]["accuracy"][0] == pytest.approx(
            sum(map(bool, right)) / len(rows), abs=1e-4
        )


def test_posts_that_calibrated_are_never_measured(tiny_bundle: Bundle, elsewhere: Bundle, tmp_path: Path) -> None:
    rows = text_part(elsewhere).data["rows"]
    assert rows["calibration"] + rows["test"] == 550
    assert rows["test"] == pytest.approx(0.15 * 550, abs=2)
    settings = EvaluateConfig(
        bundle=str(elsewhere.folder),
        posts=(STREAM,),
        series=(),
        record="",
        engine="torch",
        draws=10,
        out=str(tmp_path / "e.json"),
    )
    assert evaluate(settings, QUIET)["text"]["yujing"]["rows"] == rows["test"]
    shared, _ = shared_rows((tiny_bundle, elsewhere), CompareConfig(posts=(STREAM,)), TAXONOMY, QUIET)
    assert len(shared) == rows["test"]
    again = trained_corpus(elsewhere, (STREAM,), TAXONOMY, QUIET)
    assert again is not None
    assert {row.id for row in shared} == {row.id for row in again.part("test")}
    assert not {row.id for row in shared} & {row.id for row in again.part("validation")}


def test_what_taught_the_weights_still_counts_as_seen(
    tiny_bundle: Bundle, elsewhere: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    (posts,) = tiny_config.posts
    data = text_part(elsewhere).data
    assert data["files"] == {STREAM: file_sha256(STREAM)}
    assert data["ancestors"] == [file_sha256(posts)]
    assert data["recalibrated"] == tiny_bundle.model_id
    with pytest.raises(CorpusError, match="or a bundle that it began with"):
        trained_corpus(elsewhere, (posts,), TAXONOMY, QUIET)
    with pytest.raises(CorpusError, match="or a bundle that it began with"):
        recalibrate_text(config_of(elsewhere, posts, tmp_path), QUIET)
    with pytest.raises(CorpusError, match=r"taught .* with other rows than now"):
        earlier_bundle(str(elsewhere.folder), tiny_config, TAXONOMY)
    same = replace(tiny_config, posts=(STREAM,))
    assert earlier_bundle(str(elsewhere.folder), same, TAXONOMY).model_id == elsewhere.model_id
    with pytest.raises(CorpusError, match=r"seed=7, this run has 8"):
        earlier_bundle(str(elsewhere.folder), replace(same, seed=8), TAXONOMY)


def test_the_same_posts_again_give_the_same_bundle(elsewhere: Bundle, tmp_path: Path) -> None:
    """Also for its first stage: all posts but the test part are what calibrates, both times."""
    again = recalibrate_text(config_of(elsewhere, STREAM, tmp_path), QUIET)
    assert again.model_id == elsewhere.model_id
    assert text_part(again).first_stage == text_part(elsewhere).first_stage
    for name in ("rows", "held_out_ids"):
        assert text_part(again).data[name] == text_part(elsewhere).data[name]
    settings = FirstStageConfig(
        bundle=str(again.folder), posts=(STREAM,), unlabelled="absent", engine="torch", draws=10
    )
    train_first_stage(settings, QUIET)
    assert text_part(open_bundle(again.folder)).first_stage == text_part(elsewhere).first_stage


def test_a_run_may_begin_with_it(elsewhere: Bundle, tiny_config: TextConfig, tmp_path: Path) -> None:
    config = replace(tiny_config, posts=(STREAM,), start=str(elsewhere.folder), out=str(tmp_path))
    bundle = train_text(config, QUIET)
    data = text_part(bundle).data
    assert data["ancestors"] == [file_sha256(tiny_config.posts[0])]
    assert "recalibrated" not in data
    assert text_part(bundle).metrics["yujing"]["rows"] == text_part(elsewhere).data["rows"]["test"]


def test_the_card_tells_what_calibrated_and_whose_weights_these_are(tiny_bundle: Bundle, elsewhere: Bundle) -> None:
    card = (elsewhere.folder / CARD).read_text(encoding="utf-8")
    assert f"all weights, also those of the second reader, are those of `{tiny_bundle.model_id}`" in card
    assert f"`old_calibration` the same weights with the calibration that `{tiny_bundle.model_id}` has" in card
    assert f"| text | rows | calibration {text_part(elsewhere).data['rows']['calibration']}, test" in card
    assert "they taught no weight, `ancestors` are those that did" in card
    assert "chosen on the calibration\npart" in card
    assert "| figure | yujing | old_calibration |" in card
    assert "tfidf" not in card
    assert "$" not in card


def test_its_own_posts_give_the_calibration_of_the_training(
    trained_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path
) -> None:
    """The same rows, read by weights that the file has rounded to fp16: answers are near."""
    console = Console(file=io.StringIO(), width=200)
    bundle = recalibrate_text(config_of(trained_bundle, tiny_config.posts[0], tmp_path), console)
    before, after = text_part(trained_bundle), text_part(bundle)
    rows = corpus_for(tiny_config, TAXONOMY, console).part("validation")
    category, _ = labels(rows, TAXONOMY)
    models = [load_text_model(one, "torch", threads=1) for one in (trained_bundle, bundle)]
    old, new = (model.predict([row.text for row in rows]) for model in models)
    assert np.abs(old.category - new.category).max() < 0.01
    assert np.abs(old.severity - new.severity).max() < 0.01
    assert log_loss(new.category, category) == pytest.approx(log_loss(old.category, category), abs=1e-3)
    assert after.metrics["yujing"]["log_loss"] == pytest.approx(before.metrics["yujing"]["log_loss"], abs=0.01)
    assert after.metrics.keys() == {"yujing", "bert", "tfidf", "old_calibration"}
    assert after.metrics["tfidf"] == before.metrics["tfidf"]
    assert after.config == before.config
    assert after.data == {**before.data, "recalibrated": trained_bundle.model_id}
    assert "its validation part calibrates, its test part measures" in console.file.getvalue()  # type: ignore[attr-defined]
    card = (bundle.folder / CARD).read_text(encoding="utf-8")
    assert f"the adapter began afresh; recalibrated: the weights are those of `{trained_bundle.model_id}`" in card
    assert "the others are of the training" in card
    for name, value in (("test", 0.3), ("seed", 8)):  # they counted for nothing, unsaid
        with pytest.raises(ConfigError, match=rf"^{name}={value}: these posts taught the bundle with {name}=.*leave"):
            recalibrate_text(config_of(trained_bundle, tiny_config.posts[0], tmp_path, **{name: value}), QUIET)


def test_no_gain_is_told(elsewhere: Bundle, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    recalibrate_text(config_of(elsewhere, STREAM, tmp_path), console)
    (line,) = (line for line in console.file.getvalue().splitlines() if "not better" in line)  # type: ignore[attr-defined]
    value = f"{text_part(elsewhere).metrics['yujing']['log_loss'][0]:.4f}"
    assert line == f"not better in log-loss there: {value} with the old calibration, {value} with the new"


def test_golden_posts_and_reference_of_the_old_answers_are_gone(referenced: Bundle, tmp_path: Path) -> None:
    shutil.copytree(referenced.folder, tmp_path / "bundle")
    (tmp_path / "bundle" / "golden.json").write_text("{}", encoding="utf-8")
    start = open_bundle(tmp_path / "bundle")
    bundle = recalibrate_text(config_of(start, STREAM, tmp_path), QUIET)  # in its own place
    assert bundle.folder == start.folder
    assert not (bundle.folder / "golden.json").exists()
    assert not open_bundle(bundle.folder).manifest.reference
    assert bundle.read(escalation_file("counts")) == referenced.read(escalation_file("counts"))


def test_a_bundle_of_another_taxonomy_keeps_its_table(
    tiny_config: TextConfig, tiny_posts: Path, tmp_path: Path
) -> None:
    ask_one("other", tmp_path / "a", (str(tiny_posts),))
    ask_one("other", tmp_path / "b", (STREAM,))
    config = replace(tiny_config, posts=(str(tmp_path / "a" / "posts.jsonl"),), taxonomy=str(tmp_path / "a" / TABLE))
    start = train_text(replace(config, out=str(tmp_path / "run")), QUIET)
    bundle = recalibrate_text(config_of(start, str(tmp_path / "b" / "posts.jsonl"), tmp_path / "out"), QUIET)
    assert open_bundle(bundle.folder).taxonomy.ids == ("none", "other")


def test_the_command_is_spelt_so(
    tiny_bundle: Bundle,
    elsewhere: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*more: str) -> int:
        words = ("train", "text", "--recalibrate", "--set", f"posts=[{json.dumps(STREAM)}]", "--out", str(tmp_path))
        monkeypatch.setattr(sys, "argv", ["yujing", *words, *more])
        with pytest.raises(SystemExit) as left:
            main()
        return int(str(left.value.code or 0))

    start = f"start={json.dumps(str(tiny_bundle.folder))}"
    assert run("--set", start, "--epochs", "3") == 2
    assert capsys.readouterr().err.startswith("yujing: epochs=3: --recalibrate trains nothing")
    assert run() == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run("--set", start) == 0
    assert open_bundle(tmp_path / "bundle").model_id == elsewhere.model_id
    assert load_config(TextConfig, flags=text_part(open_bundle(tmp_path / "bundle")).config).posts == (STREAM,)

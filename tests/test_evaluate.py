"""`yujing evaluate`: the split of the training is rebuilt, other posts are all measured, everything is written."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from data.errors import ConfigError, CorpusError
from data.samples import FOLDER, sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, save_part
from models.manifest import EscalationPart
from training.compare import CompareConfig, compare
from training.corpus import read_corpus
from training.escalation_config import SERIES
from training.evaluate import evaluate, parts_of
from training.evaluate_config import EvaluateConfig
from training.evaluate_text import rows_of
from training.hotlist_config import HotlistConfig
from training.text_config import TextConfig

QUIET = Console(file=io.StringIO())


def _config(bundle: Bundle, tmp_path: Path, **changes: object) -> EvaluateConfig:
    settings = {"series": (), "draws": 10, "out": str(tmp_path / "out.json"), **changes}
    return EvaluateConfig(bundle=str(bundle.folder), **settings)  # type: ignore[arg-type]


@pytest.fixture
def measured(tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path) -> dict:  # type: ignore[type-arg]
    return evaluate(_config(tiny_bundle, tmp_path, posts=tiny_config.posts), QUIET)


def test_the_trainings_own_test_part_gives_the_trainings_own_figures(
    measured: dict,
    tiny_bundle: Bundle,
    tmp_path: Path,  # type: ignore[type-arg]
) -> None:
    assert tiny_bundle.manifest.text is not None
    trained = tiny_bundle.manifest.text.metrics
    for model in ("yujing", "bert", "tfidf"):
        for figure in ("accuracy", "macro_f1", "qwk"):  # in the file weights are fp16: a post on the edge may tip over
            assert measured["text"][model][figure][0] == pytest.approx(trained[model][figure][0], abs=0.03)
        assert measured["text"][model]["log_loss"][0] == pytest.approx(trained[model]["log_loss"][0], abs=0.01)
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["model"] == tiny_bundle.model_id


def test_other_posts_are_all_measured(tiny_bundle: Bundle, tmp_path: Path) -> None:
    posts = str(FOLDER / "posts.jsonl")
    found = evaluate(_config(tiny_bundle, tmp_path, posts=(posts,)), QUIET)
    assert not {"tfidf", "majority"} & set(found["text"])  # nothing is known to teach them
    assert found["text"]["yujing"]["rows"] == len(sample_examples())


def test_the_page_and_the_majority_are_beside_it(measured: dict, tmp_path: Path) -> None:  # type: ignore[type-arg]
    text = measured["text"]
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "majority" in page
    assert text["majority"]["qwk"][0] == 0  # a constant rank agrees no better than chance
    assert text["majority"]["macro_f1"][0] < 2 / len(text["f1_by_class"])
    assert text["calibration"]["after"]["ece"] == text["yujing"]["ece"]
    assert page.count("ECE of P(rank ≥") == len(text["severity_calibration"]["after"]) == 2
    assert sum(row["rows"] for row in text["f1_by_class"].values()) == text["yujing"]["rows"]
    assert 0 < text["doubt"]["reviewed"][0] <= text["doubt"]["with_signals"]["reviewed"][0] < 1
    assert "a signal contradicts their rank" in page
    assert all(row["truth"] != row["given"] for row in text["errors"])


def test_a_report_that_could_not_be_written_is_told_before_the_measuring(tiny_bundle: Bundle, tmp_path: Path) -> None:
    folder = str(tiny_bundle.folder)
    for out, why in ((tmp_path, r"is a folder.*evaluate\.json"), (tmp_path / "a.html", "the page lies beside it")):
        with pytest.raises(ConfigError, match=why):
            evaluate(EvaluateConfig(bundle="nowhere", out=str(out)), QUIET)
        with pytest.raises(ConfigError, match=why):
            compare(folder, folder, CompareConfig(out=str(out)), QUIET)


def test_evidence_is_checked_when_asked(tiny_bundle: Bundle, tmp_path: Path) -> None:
    posts = str(FOLDER / "posts.jsonl")
    found = evaluate(_config(tiny_bundle, tmp_path, posts=(posts,), evidence=3), QUIET)["text"]["evidence"]
    assert found["posts"] == 3
    assert found["cost_most"] < 5
    assert "log-odds lost without three words by chance" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_other_series_are_all_measured(tiny_bundle: Bundle, tmp_path: Path) -> None:
    series = str(FOLDER / "volumes.jsonl")
    found = evaluate(_config(tiny_bundle, tmp_path, posts=(), series=(series,)), QUIET)
    assert set(found["escalation"]["models"]) == {"model", "fallback", "as_served"}
    assert "text" not in found


def test_a_seed_never_deals_the_posts_anew(tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path) -> None:
    """Under another split than that of the training, rows that taught the model would measure it."""
    corpus = read_corpus(tiny_config, load_taxonomy(), QUIET)
    rows = [len(corpus.examples), *(row.id for row in corpus.part("test"))]
    for seed in (0, 1):
        config = _config(tiny_bundle, tmp_path, posts=tiny_config.posts, seed=seed)
        known, test, _ = rows_of(config, tiny_bundle, load_taxonomy(), QUIET)
        assert known is not None
        assert [len(known.examples), *(row.id for row in test)] == rows


def test_the_default_series_may_be_absent_and_others_may_not(
    tiny_bundle: Bundle, tiny_config: TextConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no ../shared here
    told = Console(file=io.StringIO(), width=300)
    found = evaluate(_config(tiny_bundle, tmp_path, posts=tiny_config.posts, series=SERIES), told)
    assert "text" in found
    assert "escalation" not in found
    assert (tmp_path / "out.json").is_file()
    assert f"left out the counts head: {SERIES[0]}: no such file" in told.file.getvalue()  # type: ignore[attr-defined]
    with pytest.raises(CorpusError, match=r"mine\.jsonl: no such file"):
        evaluate(_config(tiny_bundle, tmp_path / "other", posts=tiny_config.posts, series=("mine.jsonl",)), QUIET)


def test_a_record_that_was_asked_for_may_not_be_absent(tiny_bundle: Bundle, tmp_path: Path) -> None:
    series = str(FOLDER / "volumes.jsonl")
    config = _config(tiny_bundle, tmp_path, posts=(), series=(series,), record=str(tmp_path / "mine.parquet"))
    with pytest.raises(CorpusError, match=r"mine\.parquet: no such file"):
        evaluate(replace(config, shift=True), QUIET)
    part = EscalationPart(config=asdict(HotlistConfig()))
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    save_part(tmp_path / "bundle", load_taxonomy(), {}, escalation={"hotlist": part})
    with pytest.raises(CorpusError, match=r"mine\.parquet: no such file"):
        evaluate(replace(config, bundle=str(tmp_path / "bundle")), QUIET)


def test_what_cannot_be_measured_is_told(tiny_bundle: Bundle, tmp_path: Path) -> None:
    config = _config(tiny_bundle, tmp_path, posts=(), series=(str(FOLDER / "volumes.jsonl"),), record="")
    told = Console(file=io.StringIO(), width=300)
    assert parts_of(replace(config, evidence=3, ablation=True), tiny_bundle, told) == {"escalation"}
    lines = told.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.partition(":")[0] for line in lines] == ["left out ablation", "left out evidence"]
    with pytest.raises(ConfigError, match="nothing to measure"):
        evaluate(replace(config, series=()), QUIET)
    assert not (tmp_path / "out.json").exists()

"""A bundle of another taxonomy carries its table, and everything that opens it answers by that table."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from altered import edit, edited, put
from rich.console import Console
from self_exciting import CONFIG, model, write_series
from starlette.testclient import TestClient

from data.errors import BundleError, ConfigError
from data.loaders import load_examples
from data.records import Item
from data.taxonomy import as_toml, load_taxonomy
from models import policy
from models.bundle import TABLE, Bundle, escalation_file, open_bundle, save_part
from models.escalation_store import dump
from models.manifest import EscalationPart
from models.policy import Policy
from models.scorer import Scorer
from serving.live import Live, load_tested
from serving.openapi_schemas import schemas
from serving.pages import build_pages
from serving.scoring import check_bundle
from serving.settings import Settings
from training.compare import CompareConfig, compare
from training.escalation_simulate import simulate
from training.escalation_simulate_config import SimulateConfig
from training.evaluate import evaluate
from training.evaluate_config import EvaluateConfig
from training.first_stage import FirstStageConfig, train_first_stage
from training.one_category import main
from training.text import train_text
from training.text_config import TextConfig

PACKAGED = load_taxonomy()
FOOD, COUNTS = "food_health_safety", escalation_file("counts")
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory, tiny_posts: Path) -> Path:
    """Folder of a yes/no table and of the tiny corpus relabelled by it."""
    folder = tmp_path_factory.mktemp("question")
    main(FOOD, folder, (str(tiny_posts),))
    return folder


@pytest.fixture(scope="module")
def yes_no(question: Path, tiny_config: TextConfig, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny bundle that was trained with that table."""
    posts, out = (str(question / "posts.jsonl"),), str(tmp_path_factory.mktemp("run"))
    return train_text(replace(tiny_config, posts=posts, taxonomy=str(question / TABLE), out=out), QUIET)


def test_a_bundle_carries_another_table_and_never_the_packaged_one(yes_no: Bundle, tiny_bundle: Bundle) -> None:
    assert TABLE in yes_no.manifest.files
    assert open_bundle(yes_no.folder).taxonomy.ids == ("none", FOOD)
    assert open_bundle(yes_no.folder).taxonomy == yes_no.taxonomy
    for own in (open_bundle(tiny_bundle.folder), open_bundle(None)):
        assert TABLE not in own.manifest.files
        assert own.taxonomy == PACKAGED
    with pytest.raises(BundleError, match=f"made for the categories none, {FOOD}; this taxonomy has"):
        open_bundle(yes_no.folder, PACKAGED)


def test_the_scorer_answers_by_it_and_the_policy_answers_too(yes_no: Bundle) -> None:
    results = Scorer.load(yes_no.folder, "torch", threads=1).score([Item(text="吃了三天拉肚子"), Item(text="好看")])
    for result in results:
        assert result.error is None
        assert result.category is not None
        assert list(result.category.probabilities) == ["none", FOOD]
        assert result.risk is not None


def test_the_service_tests_it_and_tells_its_table(yes_no: Bundle) -> None:
    app = build_pages()
    app.state.live = Live(Settings(bundle=yes_no.folder, engine="torch", threads=1), load_tested)
    found = TestClient(app).get("/taxonomy").json()
    assert [category["id"] for category in found["categories"]] == ["none", FOOD]
    assert TestClient(app).get("/model").json()["categories"] == ["none", FOOD]


def test_it_is_evaluated_compared_and_given_a_first_stage(yes_no: Bundle, question: Path, tmp_path: Path) -> None:
    posts, folder = (str(question / "posts.jsonl"),), tmp_path / "bundle"
    shutil.copytree(yes_no.folder, folder)
    rest: dict[str, Any] = {"posts": posts, "engine": "torch", "draws": 10}
    settings = EvaluateConfig(
        bundle=str(folder), series=(), record="", evidence=3, out=str(tmp_path / "e.json"), **rest
    )
    found = evaluate(settings, QUIET)["text"]
    assert found["f1_by_class"].keys() == {"none", FOOD}
    assert found["evidence"]["posts"] > 0
    assert compare(str(folder), str(yes_no.folder), CompareConfig(**rest), QUIET)["rows"] >= 30
    train_first_stage(FirstStageConfig(bundle=str(folder), unlabelled="absent", **rest), QUIET)
    assert open_bundle(folder).taxonomy == yes_no.taxonomy


def test_bundles_of_two_tables_are_not_compared(yes_no: Bundle, tiny_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="made for the categories"):
        compare(str(yes_no.folder), str(tiny_bundle.folder), CompareConfig(), QUIET)


def test_a_head_joins_it_and_the_table_stays(yes_no: Bundle, tmp_path: Path) -> None:
    folder = shutil.copytree(yes_no.folder, tmp_path / "bundle")
    after = save_part(folder, None, {COUNTS: b"trees"}, escalation={"counts": EscalationPart()})
    assert open_bundle(folder).taxonomy == after.taxonomy == yes_no.taxonomy
    with pytest.raises(BundleError, match="made for the categories"):
        save_part(folder, PACKAGED, {COUNTS: b"trees"})
    alone = save_part(tmp_path / "new", None, {COUNTS: b"trees"}, escalation={"counts": EscalationPart()})
    assert alone.taxonomy == PACKAGED


def test_other_words_for_the_same_categories_are_carried_until_the_packaged_ones_are_back(tmp_path: Path) -> None:
    first, *rest = PACKAGED.categories
    words = replace(PACKAGED, categories=(replace(first, name="平静"), *rest))
    saved = save_part(tmp_path / "bundle", words, {COUNTS: b"trees"})
    assert open_bundle(saved.folder).taxonomy == open_bundle(saved.folder, PACKAGED).taxonomy == words
    assert TABLE not in save_part(saved.folder, PACKAGED, {}).manifest.files


def test_a_table_that_was_tampered_with_is_refused(yes_no: Bundle, tmp_path: Path) -> None:
    folder = shutil.copytree(yes_no.folder, tmp_path / "bundle")
    (folder / TABLE).write_text(as_toml(PACKAGED), encoding="utf-8")
    with pytest.raises(BundleError, match=f"{TABLE}: sha256 .* tampered"):
        open_bundle(folder)
    with pytest.raises(BundleError, match=f"its {TABLE} has none, product_quality"):
        open_bundle(put(folder, TABLE, as_toml(PACKAGED).encode()))
    for blob in (b"[[category", b"\xff", b""):
        with pytest.raises(BundleError, match="its taxonomy cannot be read"):
            open_bundle(put(folder, TABLE, blob))


def test_an_older_bundle_without_its_table_says_what_to_do(yes_no: Bundle, tmp_path: Path) -> None:
    folder = shutil.copytree(yes_no.folder, tmp_path / "bundle")
    edit(folder, lambda raw: raw["files"].pop(TABLE))
    with pytest.raises(BundleError, match=r"the packaged taxonomy has none, product_quality.*: train it again"):
        open_bundle(folder)
    assert open_bundle(folder, yes_no.taxonomy).taxonomy == yes_no.taxonomy


def test_a_table_with_more_ranks_can_label_but_needs_a_policy_that_knows_them(tmp_path: Path) -> None:
    more = replace(PACKAGED, severities=(*PACKAGED.severities, replace(PACKAGED.severities[-1], rank=5)))
    row = {"id": "a", "text": "爆炸", "category": "public_safety", "severity": 5}
    (tmp_path / "posts.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert [found.severity for found in load_examples([tmp_path / "posts.jsonl"], more).rows] == [5]
    assert load_examples([tmp_path / "posts.jsonl"], PACKAGED).bad[0].why == "5 is no rank: give 0 to 4"
    save_part(tmp_path / "bundle", more, {})
    with pytest.raises(ConfigError, match=r"6 severity ranks, the risk policy no row for 5: train with ranks 0 to 4"):
        Scorer.load(tmp_path / "bundle")
    with pytest.raises(ConfigError, match="no row for 5"):  # before the start: a worker would fail for ever
        check_bundle(Settings(bundle=tmp_path / "bundle"))


def test_the_policy_answers_for_a_category_that_it_does_not_name() -> None:
    first, *rest = PACKAGED.categories
    table = replace(PACKAGED, categories=(first, replace(rest[0], id="weather", name="天气")))
    named, unnamed = (
        Policy.load().assess(key, 2, 1.5, (), one) for key, one in (("other", PACKAGED), ("weather", table))
    )
    assert unnamed.rank == named.rank
    assert set(unnamed.notify) <= set(named.notify)
    assert "类别为天气" in unnamed.reasons


def test_a_policy_that_names_a_category_of_ones_own_is_taken_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = edited(policy.DEFAULT_PATH, tmp_path, "other = [", 'weather = ["公关"]\nother = [')
    monkeypatch.setattr(policy, "DEFAULT_PATH", named)
    with pytest.raises(ConfigError, match=r"categories\.weather: there is no such id"):
        Policy.load()
    first, *rest = PACKAGED.categories
    table = replace(PACKAGED, categories=(first, replace(rest[0], id="weather", name="天气")))
    parts = {COUNTS: dump(model())}, None, {"counts": EscalationPart(config=asdict(CONFIG))}
    folder = save_part(tmp_path / "bundle", table, *parts).folder
    check_bundle(Settings(bundle=folder))
    assert Scorer.load(folder).policy.categories["weather"] == ("公关",)
    assert schemas()["PolicyTable"]  # the service makes them at its start
    series = (str(write_series(tmp_path / "s.jsonl")),)
    assert simulate("counts", SimulateConfig(bundle=str(folder), series=series, out=str(tmp_path / "out")), QUIET)

"""The self-test before a bundle may answer: golden posts of its own, general laws, clear refusals."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from keyword_scorer import KeywordScorer

from data.errors import BundleError, InputError
from data.records import Item
from data.results import ItemError, Result
from data.samples import sample_items
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, open_bundle
from models.scorer import Scorer
from serving.golden import NAME, choose, read_golden, write_golden
from serving.live import load_tested
from serving.self_test import TOLERANCE, self_test
from serving.settings import Settings

TAXONOMY = load_taxonomy()


@pytest.fixture
def bundle(tiny_bundle: Bundle, tmp_path: Path) -> Bundle:
    """The tiny bundle with golden posts of its own."""
    copy = open_bundle(shutil.copytree(tiny_bundle.folder, tmp_path / "bundle"))
    scorer = Scorer.load(copy.folder, threads=1)
    write_golden(copy, choose(scorer.model_id, sample_items(), scorer.score(sample_items())))
    return copy


class Odd(KeywordScorer):
    """Changes one answer."""

    def __init__(self, **changes: object) -> None:
        self.changes = changes

    def score(self, items: Sequence[Item]) -> list[Result]:
        first, *rest = [sound(result) for result in super().score(items)]
        return [replace(first, **self.changes), *rest]  # type: ignore[arg-type]


def sound(result: Result) -> Result:
    """The keyword scorer's probabilities do not sum to one."""
    category, severity = result.category, result.severity
    category = category and replace(category, probability=1.0, probabilities={category.id: 1.0})
    severity = severity and replace(severity, probabilities=tuple(float(k == severity.rank) for k in range(5)))
    return replace(result, category=category, severity=severity)


def test_the_shipped_bundle_has_golden_posts_and_answers_them() -> None:
    bundle = open_bundle(None)
    golden = read_golden(bundle)
    assert golden is not None
    assert len(golden.items) >= 20
    assert any(answer.escalation_probability is not None for answer in golden.answers)
    assert len({answer.category for answer in golden.answers}) >= 8
    loaded = load_tested(Settings(threads=1))
    assert loaded.scorer.model_id == golden.model


def test_a_model_that_answers_otherwise_is_refused() -> None:
    items = sample_items()[:3]
    scorer = Odd()
    golden = choose(scorer.model_id, items, scorer.score(items))
    assert self_test(scorer, golden, TAXONOMY) == 3
    answer = golden.answers[0]
    assert answer.category_probability is not None
    near = replace(answer, category_probability=answer.category_probability - TOLERANCE / 2)
    self_test(scorer, replace(golden, answers=(near, *golden.answers[1:])), TAXONOMY)
    for change in ({"category": "other"}, {"severity": 4}, {"category_probability": 0.5}, {"category": None}):
        wrong = replace(golden, answers=(replace(answer, **change), *golden.answers[1:]))  # type: ignore[arg-type]
        with pytest.raises(BundleError, match=f"golden item 0: {next(iter(change))}"):
            self_test(scorer, wrong, TAXONOMY)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"error": ItemError("scoring_failed", "text could not be scored")}, "item 0: scoring_failed"),
        ({"category": KeywordScorer().score([Item(text="假货")])[0].category}, "probabilities sum to 0.9"),
    ],
)
def test_broken_laws_are_refused_without_golden_posts(changes: dict[str, object], says: str) -> None:
    assert self_test(Odd(), None, TAXONOMY) == len(sample_items())
    with pytest.raises(BundleError, match=says):
        self_test(Odd(**changes), None, TAXONOMY)


def test_a_bundle_of_volumes_only_passes() -> None:
    assert self_test(Odd(error=ItemError("no_text_model", "train one"), category=None, severity=None), None, TAXONOMY)


def test_stale_or_broken_golden_posts_are_refused_with_the_remedy(bundle: Bundle) -> None:
    path = bundle.folder / NAME
    text = path.read_text(encoding="utf-8")
    for wrong in (text.replace(bundle.model_id, "yujing-risk:other"), text[: len(text) // 2], "[]"):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(BundleError, match=r"yujing self-test --write"):
            read_golden(bundle)
    path.unlink()
    assert read_golden(bundle) is None


def test_a_file_without_golden_posts_is_no_test(bundle: Bundle) -> None:
    golden, path = read_golden(bundle), bundle.folder / NAME
    assert golden is not None
    with pytest.raises(InputError, match="answers no sample with more than"):
        write_golden(bundle, replace(golden, items=(), answers=()))
    assert read_golden(bundle) == golden  # what was there stays
    path.write_text(f'{{"model": "{bundle.model_id}", "items": [], "answers": []}}', encoding="utf-8")
    assert read_golden(bundle) is None  # so the samples are tested


def test_golden_posts_that_no_answer_goes_with_are_refused(bundle: Bundle) -> None:
    golden, path = read_golden(bundle), bundle.folder / NAME
    assert golden is not None
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, "answers": told["answers"][1:]}), encoding="utf-8")
    with pytest.raises(BundleError, match=rf"{len(golden.items)} items need as many answers.*self-test --write"):
        read_golden(bundle)
    path.unlink()
    path.mkdir()
    with pytest.raises(BundleError, match=r"golden\.json: Is a directory"):
        read_golden(bundle)


def test_golden_posts_appear_whole_or_not_at_all(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = read_golden(bundle)
    assert golden is not None
    before = {path.name: path.read_bytes() for path in bundle.folder.iterdir()}

    def full(path: Path, blob: bytes) -> None:
        with path.open("wb") as file:
            file.write(blob[: len(blob) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"golden\.json cannot be written: No space left.*make room"):
        write_golden(bundle, golden)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in bundle.folder.iterdir()} == before


def test_loading_tests(bundle: Bundle) -> None:
    assert load_tested(Settings(bundle=bundle.folder, threads=1)).bundle.model_id == bundle.model_id
    path = bundle.folder / NAME
    path.write_text(path.read_text(encoding="utf-8").replace(bundle.model_id, "yujing-risk:other"), encoding="utf-8")
    with pytest.raises(BundleError, match="answers of yujing-risk:other"):
        load_tested(Settings(bundle=bundle.folder, threads=1))

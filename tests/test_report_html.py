"""The report: one page without scripts or links out, hostile posts are only text, JSON without nan."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.records import Example
from data.strict_json import finite
from data.taxonomy import load_taxonomy
from models.text import TextPredictions
from training.evaluate_text import f1_by_class
from training.report_doubt import calibration_figures, doubt_figures
from training.report_errors import LENGTH, MOST, confident_errors
from training.report_html import html, place, spread, write_report
from training.text_report import Answers, Truth, report

TAXONOMY = load_taxonomy()
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}&lt; 电话13812345678"
N = 120


def rows() -> list[Example]:
    return [
        Example(
            id=f"{i}", text=f"{i}{HOSTILE}", category=TAXONOMY.ids[i % 4], severity=min(i % 4, 1), source="<b>弱</b>"
        )
        for i in range(N)
    ]


def seen() -> TextPredictions:
    random = np.random.default_rng(0)
    category = random.dirichlet(np.ones(len(TAXONOMY.ids)), N)
    severity = random.dirichlet(np.ones(5), N)
    chosen = category.argmax(1)
    return TextPredictions(category, severity, chosen, severity.argmax(1), category > 0.1, category.max(1) < 0.2)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    examples, answers = rows(), seen()
    truth = Truth.of(examples, range(N), TAXONOMY)
    given = Answers(answers.category, answers.chosen, answers.rank)
    curve = calibration_figures(truth, answers.category, 10)
    drop = {"changed": 0.5, "macro_f1": 0.4, "qwk": 0.3, "drop_macro_f1": [0.9, 0.1, 0.95], "drop_qwk": [0, 0, 0]}
    drop |= {"severe_recall": 0.2, "drop_severe_recall": [0.1, 0, 0.2]}
    text = {name: report(truth, given, TAXONOMY, 10) for name in ("yujing", "bert", "tfidf", "majority")} | {
        "f1_by_class": f1_by_class(truth, given, TAXONOMY, 10),
        "calibration": {"before": curve, "after": curve},
        "doubt": doubt_figures(truth, answers, 10),
        "errors": confident_errors(examples, truth, answers, TAXONOMY),
        "robustness": {"<typo>": drop},
        "evidence": {"posts": 0},
    }
    models = {"model": {"auroc": [0.8, 0.7, 0.9]}, "constant": {"auroc": [0.5, float("nan"), float("nan")]}}
    late = {"model": {"auroc": [0.6, 0.5, 0.7]}}
    return {
        "model": "yujing-risk:<i>0</i>",
        "config": {"draws": 10},
        "text": text,
        "escalation": {"models": models},
        "hotlist": {"models": late},
    }


class Page(HTMLParser):
    """Counts elements, keeps attributes that could run or load something, and checks that all tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.risky: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br", "img"}:
            self.open.append(tag)
        self.risky += [(key, value) for key, value in attrs if key.startswith("on") or key in {"src", "href"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_hostile_post_is_only_text(found: dict[str, Any]) -> None:
    text = html(found)
    page = Page(text)
    assert page.open == []
    assert page.risky == []
    assert not {"script", "img", "link", "iframe", "b", "i"} & set(page.tags)
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text  # not evaluated either
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_the_page_has_its_pictures_and_figures(found: dict[str, Any]) -> None:
    text = html(found)
    tags = Page(text).tags
    assert tags.count("svg") == 4  # F1 by class, two reliability curves, robustness
    assert tags.count("polyline") == 2
    for figure in ("accuracy", "macro_f1", "qwk", "ece", "log_loss"):
        assert spread(found["text"]["yujing"][figure]) in text
    for name in ("majority", "tfidf", "&lt;typo&gt;", "0.800 [0.700, 0.900]", "0.600 [0.500, 0.700]", "0.500 [–, –]"):
        assert name in text
    assert text.count('class="text"') == len(found["text"]["errors"]) == MOST


def test_without_text_or_escalation_there_is_still_a_page(found: dict[str, Any]) -> None:
    assert Page(html({"model": "m", "config": {"draws": 10}})).open == []
    few = {key: value for key, value in found["text"].items() if key not in ("tfidf", "majority", "robustness")}
    assert Page(html({**found, "text": few})).tags.count("svg") == 3


def test_json_and_page_are_written(found: dict[str, Any], tmp_path: Path) -> None:
    out, page = write_report(found, tmp_path / "deep" / "out.json")
    read = json.loads(out.read_text(encoding="utf-8"), parse_constant=lambda word: pytest.fail(word))
    assert read["escalation"]["models"]["constant"]["auroc"] == [0.5, None, None]
    assert read["text"]["errors"] == found["text"]["errors"]
    assert page == tmp_path / "deep" / "out.html"
    assert page.read_text(encoding="utf-8") == html(found)
    assert finite({"a": (float("inf"), 1, "x")}) == {"a": [None, 1, "x"]}


def test_errors_are_masked_sure_ones_first(found: dict[str, Any]) -> None:
    errors = found["text"]["errors"]
    assert len(errors) == MOST
    assert all(row["truth"] != row["given"] for row in errors)
    assert [row["probability"] for row in errors] == sorted((row["probability"] for row in errors), reverse=True)
    assert all("13812345678" not in row["text"] and "138****5678" in row["text"] for row in errors)


def test_a_number_at_the_cut_stays_masked() -> None:
    text = "长" * (LENGTH - 6) + "13812345678"
    answers = seen()
    example = Example(id="1", text=text, category=TAXONOMY.ids[answers.chosen[0] - 1], severity=1)
    arrays = (answers.category, answers.severity, answers.chosen, answers.rank, answers.members, answers.needs_review)
    one = TextPredictions(*(array[:1] for array in arrays))
    truth = Truth.of([example], [0], TAXONOMY)
    [row] = confident_errors([example], truth, one, TAXONOMY)
    assert "13812" not in row["text"]
    assert len(row["text"]) <= LENGTH


@pytest.mark.parametrize(("value", "at"), [(0, "200.0"), (1, "620.0"), (0.5, "410.0"), (-3, "200.0"), (9, "620.0")])
def test_values_stay_within_the_axis(value: float, at: str) -> None:
    assert place(value, 0, 1) == at

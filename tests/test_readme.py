"""The tables of the pages: written from figures, between marks, and those of the shipped heads are true now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.markdown import fill
from models.bundle import open_bundle
from training import readme
from training.robustness import COPIES

ROOT = Path(__file__).parent.parent
WRITTEN = [
    page for room in ("data", "models", "serving", "training") for page in sorted((ROOT / room).rglob("*.md"))
] + [ROOT / "README.md"]
MODEL = {name: [0.8, 0.7, 0.9] for name in readme.TEXT}
LOST = {"macro_f1": [0.001, 0, 0], "qwk": [-0.002, 0, 0], "severe_recall": [0.003, 0, 0]}
TEXT = {
    "yujing": MODEL,
    "tfidf": MODEL | {"accuracy": [0.5, 0.4, None]},
    "robustness": {
        "typos": {
            "changed": 0.634,
            "drop_macro_f1": [-0.003, -0.012, 0.007],
            "drop_qwk": [0.001, -0.011, 0.012],
            "drop_severe_recall": [0.02, 0.0, 0.04],
        }
    },
    "calibration": {"before": {"ece": [0.1, 0.09, 0.11]}},
    "doubt": {
        "coverage": [0.9, 0.88, 0.92],
        "set_size": [1.3, 1.2, 1.4],
        "reviewed": [0.15, 0.14, 0.16],
        "errors_caught": [0.51, 0.5, 0.52],
        "errors_caught_at_share": [0.5, 0.4, 0.6],
        "review_share": 0.15,
    },
    "evidence": {"posts": 100, "faithful": [0.97, 0.93, 1.0], "cost_mean": 4.36, "cost_most": 4.9},
    "engines": {"int8": {"lost": LOST, "same_decisions": 0.9859}},
}


def test_figures_become_rows() -> None:
    made = readme.blocks({"text": TEXT}, {})
    assert set(made) == {"text", "robustness", "doubt"}
    assert made["text"].splitlines()[:3] == [
        "| figure | Yujing | TF-IDF |",
        "|---|---|---|",
        "| accuracy | 0.800 [0.700, 0.900] | 0.500 [0.400, –] |",
    ]
    assert made["robustness"].splitlines()[2:] == [
        "| typos | 63% | -0.003 [-0.012, +0.007] | +0.001 [-0.011, +0.012] | +0.020 [+0.000, +0.040] |"
    ]
    assert "catches 0.510 [0.500, 0.520] of the wrong categories" in made["doubt"]
    assert "P(rank" not in made["doubt"]
    ranks = {when: {key: [0.02, 0.01, 0.03] for key in ("from_2", "from_3")} for when in ("before", "after")}
    doubt = readme.blocks({"text": TEXT | {"severity_calibration": ranks}}, {})["doubt"]
    assert "- ECE of P(rank ≥ 2) 0.020 [0.010, 0.030] before scaling, 0.020 [0.010, 0.030] after" in doubt
    assert "with the signals" not in doubt
    signalled = TEXT["doubt"] | {"with_signals": {"reviewed": [0.2, 0.1, 0.3], "errors_caught": [0.6, 0.5, 0.7]}}  # type: ignore[operator]
    doubt = readme.blocks({"text": TEXT | {"doubt": signalled}}, {})["doubt"]
    assert "marks 0.200 [0.100, 0.300] and catches 0.600 [0.500, 0.700]" in doubt
    assert "`int8` against torch fp32: loses +0.0010 macro-F1, -0.0020 QWK, +0.0030 recall" in made["doubt"]
    assert "98.6 % same decisions" in made["doubt"]


def test_what_was_not_measured_has_no_block() -> None:
    assert readme.blocks({"text": {}}, {}) == {}
    assert set(readme.blocks({"text": {"yujing": MODEL}}, {})) == {"text"}


def test_only_what_stands_between_the_marks_changes() -> None:
    page = "a\n<!-- text -->\nold\n\\1\n<!-- /text -->\nb"
    assert fill(page, "text", "new \\1") == "a\n<!-- text -->\nnew \\1\n<!-- /text -->\nb"
    with pytest.raises(ConfigError, match="0 blocks between <!-- other -->"):
        fill(page, "other", "new")
    with pytest.raises(ConfigError, match="2 blocks"):
        fill(page + page, "text", "new")


def test_every_perturbation_has_a_row() -> None:
    assert set(readme.PERTURBATIONS) == set(COPIES)


def test_every_page_has_a_place_for_its_blocks() -> None:
    for page, names in readme.PAGES.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in names:
            assert fill(text, name, "") != text


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_a_head_stands_beside_its_best_baseline() -> None:
    figures = {key: [0.5, 0.4, 0.6] for key in readme.ESCALATION}
    models = {
        "model": figures,
        "as_served": figures,
        "level": figures,
        "growth_rate": figures | {"auprc": [0.7, 0.6, 0.8]},
    }
    lines = readme.heads_table({"counts": {"models": models}}).splitlines()
    assert lines[2].startswith("| `counts` | Yujing | 0.500")
    assert lines[3].startswith("| `counts` | growth rate | 0.500 [0.400, 0.600] | 0.700")
    assert len(lines) == 4


def test_the_tables_of_the_shipped_heads_are_those_of_its_manifest() -> None:
    heads = open_bundle(None).manifest.escalation
    made = readme.blocks({}, {head: part.metrics for head, part in heads.items()})
    assert set(made) == {"counts", "hotlist", "heads", "views"}
    for page, names in readme.PAGES.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in set(names) & set(made):
            assert fill(text, name, made[name]) == text

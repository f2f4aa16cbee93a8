"""The ablation: which rows each set adds, on one test part, and what no rows change."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from data.samples import sample_examples
from training.ablation import SETS, SHOWN, ablation, ablation_table
from training.text_config import TextConfig

QUIET = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def found(tiny_config: TextConfig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """With twenty rows that only teach: each a sample in other words, always called a fraud."""
    path: Path = tmp_path_factory.mktemp("extra") / "extra.jsonl"
    rows = [
        replace(row, id=f"x{row.id}", text=f"听说{row.text[::-1]}", category="fraud_funds", severity=4, second=None)
        for row in sample_examples()[:20]
    ]
    path.write_text("".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return ablation(replace(tiny_config, extra=(str(path),)), QUIET, draws=10)


def test_each_set_names_its_rows(found: dict[str, Any]) -> None:
    assert {name: row["rows"] for name, row in found.items()} == {"extra": 20, "annotated": 0, "both": 20}


def test_what_adds_no_rows_changes_nothing_and_false_rows_do(
    found: dict[str, Any],
) -> None:
    assert all(found["annotated"][name]["difference"] == [0, 0, 0] for name in SHOWN)
    assert found["both"]["log_loss"]["difference"] == found["extra"]["log_loss"]["difference"]
    assert found["extra"]["log_loss"]["difference"][0] != 0


def test_the_table_starts_from_the_posts_alone(found: dict[str, Any]) -> None:
    sheet = ablation_table(found)
    assert [*sheet.columns[0].cells] == ["nothing", *SETS]
    assert [*sheet.columns[1].cells] == ["0", "20", "0", "20"]

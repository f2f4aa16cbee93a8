"""What a run tells: how golden posts are kept, in one line that can be copied, after every run that makes a bundle."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from models.bundle import Bundle
from training.told import tell_golden

TRAINING = Path(__file__).resolve().parents[1] / "training"


@pytest.mark.parametrize(
    ("folder", "written"), [("runs/mine/bundle", "runs/mine/bundle"), ("runs/[b] a/bundle", "'runs/[b] a/bundle'")]
)
def test_the_command_that_keeps_golden_posts_can_be_copied(tiny_bundle: Bundle, folder: str, written: str) -> None:
    told = io.StringIO()
    tell_golden(Console(file=told, width=30), replace(tiny_bundle, folder=Path(folder)))
    assert told.getvalue().endswith(f": yujing self-test --write --bundle {written}\n")


def test_every_run_that_registers_a_bundle_tells_it() -> None:
    codes = {path.name: path.read_text(encoding="utf-8") for path in TRAINING.glob("*.py")}
    runs = {name: code for name, code in codes.items() if "{register(bundle)}" in code}
    assert len(runs) == 5
    assert [name for name, code in runs.items() if "tell_golden(console, bundle)" not in code] == []

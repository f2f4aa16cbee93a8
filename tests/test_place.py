"""Where a run writes is asked before it begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.console import Console

from data.errors import ConfigError
from training.escalation_simulate import simulate
from training.escalation_simulate_config import SimulateConfig
from training.place import bundle_place, report_place


def test_a_place_that_may_become_a_folder_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert bundle_place("runs/mine") == Path("runs/mine/bundle")
    assert report_place("runs/mine/evaluate.json") == Path("runs/mine/evaluate.json")
    assert not (tmp_path / "runs").exists()


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    """Each ended in a traceback after the fit, the measuring or the replay."""
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    for below in (file, file / "runs"):
        with pytest.raises(ConfigError, match=r"out: .*file is a file"):
            bundle_place(str(below))
        with pytest.raises(ConfigError, match=r"out: .*file is a file"):
            report_place(str(below / "evaluate.json"))
        with pytest.raises(ConfigError, match=r"out: .*file is a file"):
            simulate("counts", SimulateConfig(bundle="nowhere", out=str(below)), Console(quiet=True))


def test_a_folder_that_may_not_be_written_in_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(ConfigError, match="nothing may be written in"):
        bundle_place(str(tmp_path / "runs"))

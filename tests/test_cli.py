"""The command line: documented, one clean line for an expected failure, and what the README says is what runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from data.errors import ConfigError
from serving.cli import app
from serving.commands.train import read_settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def yujing(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "120"}
    return subprocess.run([sys.executable, "-m", "serving.cli", *arguments], capture_output=True, text=True, env=env)


def commands() -> list[str]:
    group = typer.main.get_command(app)
    found = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        found += [f"{name} {inner}" for inner in below] or [name]
    return found


def test_every_command_is_in_the_readme() -> None:
    assert set(commands()) >= {"score", "serve", "demo", "evaluate", "train text", "train escalation"}
    for command in commands():
        assert f"yujing {command}" in README, command


@pytest.mark.parametrize("words", [["make demo"], ["make test"], ["make serve"]])
def test_the_readmes_make_targets_exist(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        assert word in README
        assert f"\n{word.removeprefix('make ')}:" in makefile


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score", "nowhere.csv", "out.csv"], "no such file"),
        (["score", "README.md", "out.csv"], "unknown kind of file"),
        (["serve", "--bundle", "nowhere"], "no readable manifest.json"),
        (["serve", "--host", "0.0.0.0", "--port", "3987"], "without an API key"),
        (["serve", "--keys", "nowhere.txt"], "No such file"),
        (["keys", "new", "desk", "--scope", "read"], "unknown scope 'read'"),
        (["self-test", "--bundle", "nowhere"], "no readable manifest.json"),
        (["train", "text", "--set", "epoch=3"], "unknown setting epoch"),
        (["train", "text", "--set", "epochs=many"], "write a TOML value"),
        (["train", "escalation", "--set", 'series=["nowhere.jsonl"]'], "no such file"),
        (["evaluate", "--set", 'bundle="nowhere"'], "no readable manifest.json"),
    ],
)
def test_an_expected_failure_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    done = yujing(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("yujing: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_help_says_which_extra_is_needed() -> None:
    done = yujing("score", "--help")
    assert done.returncode == 0
    assert "yujing[cluster]" in "".join(done.stdout.split())


def test_settings_are_toml_values() -> None:
    assert read_settings(["epochs=3", 'out="a=b"', 'posts=["x"]']) == {"epochs": 3, "out": "a=b", "posts": ["x"]}
    for pair in ("epochs", "=3", "a=b"):
        with pytest.raises(ConfigError, match="--set"):
            read_settings([pair])

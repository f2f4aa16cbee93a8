"""The command line: documented, one clean line for an expected failure, and what the README says is what runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from data.errors import ConfigError
from serving.cli import app, main
from serving.commands.serve import _address
from serving.commands.train import read_settings
from serving.process import free_port

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def yujing(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "120"}
    command = [sys.executable, "-m", "serving.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT)


def refused(done: subprocess.CompletedProcess[str], says: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("yujing: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


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


def refused_here(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: torch is imported once, not by every command."""
    monkeypatch.setattr(sys, "argv", ["yujing", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    written = capsys.readouterr()
    refused(subprocess.CompletedProcess(arguments, int(str(left.value.code)), written.out, written.err), says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score", "nowhere.csv", "out.csv"], "no such file"),
        (["score", str(ROOT / "README.md"), "out.csv"], "unknown kind of file"),
        (["self-test", "--bundle", "nowhere"], "no readable manifest.json"),
        (["train", "text", "--set", "epoch=3"], "unknown setting epoch"),
        (["train", "text", "--set", "epochs=many"], "write a TOML value"),
        (["train", "escalation", "--set", 'series=["nowhere.jsonl"]'], "no such file: give one that is there"),
        (["evaluate", "--set", 'bundle="nowhere"'], "no readable manifest.json"),
    ],
)
def test_an_expected_failure_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused_here(arguments, says, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--bundle", "nowhere"], "no readable manifest.json"),
        (["--host", "0.0.0.0"], "without an API key"),
        (["--keys", "nowhere.txt"], "No such file"),
        (["--store", ""], "--store is empty"),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_line(arguments: list[str], says: str) -> None:
    refused(yujing("serve", "--port", str(free_port()), *arguments), says)


def test_a_variable_that_is_no_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YUJING_THREAD", "2")
    monkeypatch.setattr(sys, "argv", ["yujing", "score", "nowhere.csv", "out.csv"])
    with pytest.raises(SystemExit):
        main()
    told, *_ = capsys.readouterr().err.splitlines()
    assert told == "yujing: YUJING_THREAD is no setting and does nothing: did you mean YUJING_THREADS?"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(yujing("serve", "--port", port), f"cannot listen on 127.0.0.1:{port} (Address already in use)")


@pytest.mark.parametrize("host", ["127.0.0.1..", "a" * 64, "\udcff"])
def test_a_host_that_has_no_name_is_told(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^cannot listen on .*:3000 .*: give --host or --port$"):
        _address(host, 3000)


def test_the_command_itself_ends_so() -> None:
    refused(yujing("keys", "new", "desk", "--scope", "read"), "unknown scope 'read'")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bogus"], "No such command 'bogus': see `"),
        (["score"], "score --help`"),
        (["score", "--workers", "many", "a", "b"], "(got 'many')"),
        (["score", "--workers", "", "a", "b"], "(got '')"),
        (["score", "", "out.csv"], "IN is empty"),
        (["keys", "new", "desk"], "Missing option '--scope'"),
        (["train", "text", "--set"], "'--set' requires an argument"),
        (["train", "text", "--set", "epochs=" + "[" * 5_000], "recursion"),
        (["serve", "--port", "0"], "Invalid value for '--port': Input should be greater than or equal to 1 (got '0')"),
        (["train", "escalation", "--head", "x"], "'x' is not one of 'counts', 'hotlist': see"),
    ],
)
def test_arguments_that_are_not_understood_are_told_in_one_line(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused_here(arguments, says, monkeypatch, capsys)


def test_a_group_without_a_command_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["yujing", "keys"])
    with pytest.raises(SystemExit, match="2"):
        main()
    written = capsys.readouterr()
    assert "Usage:" in written.out
    assert written.err == ""


@pytest.mark.parametrize(
    ("module", "arguments", "says"),
    [
        ("training.one_category", [], "Missing argument 'category'"),
        ("training.one_category", ["bogus", "{folder}"], "unknown category 'bogus'"),
        ("training.agreement", ["bogus"], "unexpected extra argument"),
        ("training.ablation", ["--bogus"], "No such option: --bogus"),
        ("training.readme", ["nowhere.json"], "nowhere.json: no such file: `make figures`"),
    ],
)
def test_the_modules_that_are_commands_end_as_yujing_does(
    module: str, arguments: list[str], says: str, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    command = [sys.executable, "-m", module, *(one.format(folder=folder) for one in arguments)]
    refused(subprocess.run(command, capture_output=True, text=True, cwd=ROOT), says)
    assert not folder.exists()


def test_a_name_that_the_terminal_cannot_write_fails_no_run() -> None:
    shown = "from data.command_line import run_function\ndef say():\n    print('投诉\\udccd.csv')\nrun_function(say)"
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, env=env, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "\\u6295\\u8bc9\\udccd.csv\n"


def test_the_help_says_which_extra_is_needed() -> None:
    done = yujing("score", "--help")
    assert done.returncode == 0
    assert "theextra[cluster]" in "".join(done.stdout.split())


WITHOUT_TORCH = """
import sys
from serving.cli import main
sys.modules.update(dict.fromkeys(("torch", "accelerate", "sklearn"), None))
sys.argv = ["yujing", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "text", "--set", "posts=a.jsonl"], "write a TOML value"),
        (["train", "text", "--set", "epoch=2"], "unknown setting epoch"),
        (["train", "text", "--set", 'posts=["nowhere.jsonl"]'], "nowhere.jsonl: no such file"),
        (["train", "text", "--set", 'posts=["README.md"]'], "unknown kind of file"),
        (["train", "escalation", "--set", "epoch=2"], "unknown setting epoch"),
        (["train", "escalation", "--head", "hotlist", "--set", "epoch=2"], "unknown setting epoch"),
        (["train", "first-stage", "--set", "a"], "write a TOML value"),
        (["evaluate", "--set", "epoch=2"], "unknown setting epoch"),
        (["compare", "a", "b", "--set", "a"], "write a TOML value"),
    ],
)
def test_a_mistyped_setting_is_told_before_what_trains_is_imported(arguments: list[str], says: str) -> None:
    """Its import takes up to half a minute."""
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    refused(subprocess.run(command, capture_output=True, text=True, cwd=ROOT), says)


def test_the_help_of_training_says_what_a_file_of_posts_has() -> None:
    told = " ".join(yujing("train", "text", "--help").stdout.replace("│", " ").split())
    assert "columns id, text, category and severity (0-4); at least 200 posts" in told
    example = """yujing train text --set 'posts=["mine.jsonl"]' --set 'extra=[]' --set 'annotated=[]' --out runs/mine"""
    assert example in told


def test_settings_are_toml_values() -> None:
    assert read_settings(["epochs=3", 'out="a=b"', 'posts=["x"]']) == {"epochs": 3, "out": "a=b", "posts": ["x"]}
    for pair in ("epochs", "=3", "a=b", 'epochs=2\nout="x"'):
        with pytest.raises(ConfigError, match="--set"):
            read_settings([pair])

"""The Bento as BentoML builds it: what of bentofile.yaml gets into it. Some of its settings BentoML drops unsaid."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Bento of this checkout (4 s)."""
    home = tmp_path_factory.mktemp("bentoml")
    env = {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "true", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "bentoml", "build"], cwd=ROOT, env=env, check=True, capture_output=True)
    [made] = home.glob("bentos/yujing/*/bento.yaml")
    return made.parent


@pytest.fixture(scope="module")
def dockerfile(bento: Path) -> str:
    return (bento / "env" / "docker" / "Dockerfile").read_text(encoding="utf-8")


def image_environment(dockerfile: str) -> dict[str, str]:
    """What the image sets: `ENV a=$a` after `ARG a=value`, or `ENV a=value`."""
    arguments = dict(re.findall(r"^ARG (\w+)=(.*)$", dockerfile, re.MULTILINE))
    given = re.findall(r"^ENV (\w+)=(.*)$", dockerfile, re.MULTILINE)
    return {name: arguments.get(value.removeprefix("$"), value) for name, value in given}


def test_the_container_can_be_reached_from_outside_of_it(dockerfile: str) -> None:
    assert image_environment(dockerfile)["BENTOML_HOST"] == "0.0.0.0"


def test_a_bento_without_a_container_stays_on_this_machine(bento: Path) -> None:
    about = yaml.safe_load((bento / "bento.yaml").read_text(encoding="utf-8"))
    assert [one["config"]["http"]["host"] for one in about["services"]] == ["127.0.0.1"]


def test_the_image_has_all_that_the_bentofile_asks_for(bento: Path, dockerfile: str) -> None:
    asked = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))
    assert set(asked["docker"]) == {"python_version", "setup_script"}  # of the rest BentoML drops `env` unsaid
    given = image_environment(dockerfile)
    assert {one["name"]: one["value"] for one in asked["envs"]}.items() <= given.items()
    assert {"OTEL_SDK_DISABLED": "true", "HF_HUB_OFFLINE": "1"}.items() <= given.items()  # of `serving.service`
    version = asked["docker"]["python_version"]
    assert f"FROM python:{version}-slim" in dockerfile
    assert f"uv venv --python {version} " in dockerfile
    [script] = re.findall(r"^RUN chmod \+x (\S+) && \1$", dockerfile, re.MULTILINE)
    assert (bento / script).read_bytes() == (ROOT / asked["docker"]["setup_script"]).read_bytes()
    wanted = (ROOT / asked["python"]["requirements_txt"]).read_text(encoding="utf-8")
    pins = {line.split(";")[0].strip() for line in wanted.splitlines() if line[:1].isalnum()}
    installed = (bento / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    assert pins <= {line.split(";")[0].strip() for line in installed.splitlines()}


WITHOUT_TRAINING = "import sys; sys.modules['training'] = None; from serving.cli import main; main()"


def test_a_command_that_the_bento_cannot_run_says_so_in_one_line(bento: Path) -> None:
    src = bento / "src"
    assert not (src / "training").exists()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT_TRAINING, "evaluate"],
        cwd=src,
        env={**os.environ, "PYTHONPATH": str(src)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("yujing: training is not part of this installation")
    assert done.stderr.count("\n") == 1

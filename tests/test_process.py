"""A service process never outlives its caller and says why it could not start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from models.bundle import Bundle
from serving.process import READY_SECONDS, ServiceError, environment, free_port, running

TESTS = Path(__file__).parent


def children() -> set[psutil.Process]:
    """Processes below this one; other tests may have left some that are about to end."""
    return set(psutil.Process().children(recursive=True))


def fail_while_running(before: set[psutil.Process]) -> None:
    with running(service="keyword_service:Yujing", root=TESTS):
        assert len(children() - before) >= 2  # BentoML and its worker
        raise ZeroDivisionError


def test_a_failing_caller_leaves_no_process_behind() -> None:
    before = children()
    with pytest.raises(ZeroDivisionError):
        fail_while_running(before)
    assert children() <= before


def test_a_service_that_cannot_load_is_an_error_with_its_log() -> None:
    before = children()
    with (
        pytest.raises(ServiceError, match="YUJING_ENGINE is 'abacus': Input should be 'int8', 'bf16'") as caught,
        running({"YUJING_ENGINE": "abacus", "YUJING_WATCHWORDS": "brands.txt"}),
    ):
        pass
    assert "YUJING_WATCHWORDS is no setting and does nothing: did you mean YUJING_WATCH_WORDS?" in str(caught.value)
    assert children() <= before


def test_who_waits_asks_with_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new one reads the authorities of TLS, on the core of the service that is waited for."""
    made, asked, make = list[httpx.Client](), list[None](), httpx.Client.__init__

    def count(client: httpx.Client, **named: object) -> None:
        made.append(client)
        make(client, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx.Client, "__init__", count)
    with running(service="keyword_service:Yujing", root=TESTS, tick=lambda: asked.append(None)):
        assert len(asked) > 1
    assert len(made) == 1


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_the_command_itself_supervises_and_ends_cleanly(tiny_bundle: Bundle, tmp_path: Path) -> None:
    before, port = children(), free_port()
    args = ["serve", "--port", str(port), "--bundle", str(tiny_bundle.folder)]
    env = {**os.environ, "BENTOML_HOME": str(tmp_path), "PYTHONPATH": str(TESTS.parent)}
    with subprocess.Popen([sys.executable, "-m", "serving.cli", *args], cwd=tmp_path, env=env) as process:
        try:
            deadline = time.monotonic() + READY_SECONDS
            while not is_ready(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            (worker,) = psutil.Process(process.pid).children()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert not worker.is_running()
        finally:
            for one in children() - before:
                one.kill()


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("YUJING_CACHE", "cache", "{here}/cache"),
        ("YUJING_CACHE", "/var/cache", "/var/cache"),
        ("XDG_CACHE_HOME", "cache", "{here}/cache"),
        ("DATABASE_URL", "sqlite:///kept/y.db", "sqlite:///{here}/kept/y.db"),
        ("DATABASE_URL", "sqlite:////kept/y.db", "sqlite:////kept/y.db"),
        ("DATABASE_URL", "postgresql://u:p@host/y", "postgresql://u:p@host/y"),
    ],
)
def test_places_are_meant_from_the_callers_folder_not_the_services(
    name: str, given: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert environment({name: given})[name] == wanted.format(here=tmp_path)


def test_what_is_not_set_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("YUJING_CACHE", "XDG_CACHE_HOME", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert not {"YUJING_CACHE", "XDG_CACHE_HOME", "DATABASE_URL"} & set(environment({}))


def test_a_second_service_of_a_user_leaves_the_metrics_of_the_first_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BentoML empties its folder of metrics at each start; it is asked here where the start has it."""
    code = (
        "import bentoml, serving.process as process\n"
        "from bentoml.serving import ensure_prometheus_dir\n"
        "import gc\n"
        "bentoml.serve = lambda *_, **__: print(gc.get_threshold()[0], 'metrics in', ensure_prometheus_dir())\n"
        "process.serve_here('127.0.0.1', 3000, {})"
    )
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(TESTS.parent))
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in "12"]
    (seldom, first), (_, second) = (run.stdout.strip().split(" metrics in ") for run in runs)
    assert int(seldom) > 700  # allocations between two collections: what it imports stays
    assert first != second
    assert not any(Path(folder).exists() for folder in (first, second))  # gone with their service

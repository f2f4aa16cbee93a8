"""The service as a process: the command that runs it, and a running one that never outlives its caller."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx
import psutil

from data.errors import YujingError
from models.cache import CACHE
from serving.heap import calm
from serving.store.settings import DATABASE

CACHES = (CACHE, "XDG_CACHE_HOME")  # models/cache.py
SERVICE = "serving.service:Yujing"
ROOT = Path(__file__).parents[1]  # where the rooms lie: a folder "models" of the caller must not shadow ours
READY_SECONDS = 120.0  # a first start builds the CPU engine
STOP_SECONDS = 15.0
FAILED = b"Application startup failed"  # BentoML would start its worker again, forever


class ServiceError(YujingError):
    """A service that did not start or stopped by itself; the message ends with its last log lines."""

    code = "service_failed"


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers at `url`, the file it logs to, and the id of its supervisor."""

    url: str
    log: Path
    ready_seconds: float
    pid: int


def command(host: str, port: int, service: str = SERVICE, root: Path = ROOT) -> list[str]:
    """The command line that serves in the foreground."""
    bentoml = [sys.executable, "-m", "bentoml", "serve", service]
    return [*bentoml, "--host", host, "--port", str(port), "--working-dir", str(root)]


def serve_here(address: str, port: int, env: Mapping[str, str]) -> None:
    """Serve in the foreground, in this process: what it has imported already is not imported again (0.35 s).

    BentoML reads its settings when it is first imported, so it must not have been. Returns after Ctrl-C or SIGTERM.
    The metrics get a folder of their own: that of BentoML is one for all services of a user, and each start empties it.
    """
    os.environ.update(env)
    os.chdir(ROOT)
    calm()
    import bentoml
    from bentoml._internal.configuration.containers import BentoMLContainer

    with tempfile.TemporaryDirectory(prefix="yujing-metrics-") as folder:
        BentoMLContainer.prometheus_multiproc_dir.set(folder)
        bentoml.serve(SERVICE, host=address, port=port, working_dir=str(ROOT), blocking=True)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment and `extra`, without BentoML's usage reports ("1" would not do it), spans, progress bars.

    The service runs in another folder, so what names a place relative to ours is made absolute.
    """
    fixed = {"BENTOML_DO_NOT_TRACK": "true", "PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"}
    usual = {"OTEL_SDK_DISABLED": "true", "HF_HUB_OFFLINE": "1"}  # as in `serving.service`
    given = {**usual, **os.environ, **extra}
    folders = {name: str(Path(given[name]).absolute()) for name in CACHES if given.get(name)}
    databases = {name: _absolute_url(given[name]) for name in (DATABASE,) if name in given}
    return {**given, **folders, **databases, **fixed}


def _absolute_url(url: str) -> str:
    """The address of a SQLite file as from any folder; every other address as it is."""
    kind, mark, path = url.partition(":///")
    if not kind.startswith("sqlite") or not path or path.startswith(("/", "?", "file:")):
        return url
    return f"{kind}{mark}{Path.cwd()}/{path}"


@contextmanager
def running(
    extra: Mapping[str, str] | None = None,
    service: str = SERVICE,
    root: Path = ROOT,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Running]:
    """Start the service on a free port of 127.0.0.1, wait until it is ready, stop it at the end.

    It gets a BENTOML_HOME of its own: BentoML empties the metrics folder there at each start, under the feet
    of a service that already runs. ServiceError when it stops by itself or is not ready in time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="yujing-") as home,
        (Path(home) / "service.log").open("wb") as log,
    ):
        url = f"http://127.0.0.1:{(port := free_port())}"
        environ = environment({"BENTOML_HOME": home, **(extra or {})})
        process = _start(command("127.0.0.1", port, service, root), environ, root, log)
        start = time.monotonic()
        try:
            _wait(process, url, Path(log.name), tick)
            yield Running(url, Path(log.name), time.monotonic() - start, process.pid)
        finally:
            _stop(process)


def _start(args: list[str], env: dict[str, str], root: Path, log: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        args, env=env, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, tick: Callable[[], None]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(base_url=url, timeout=2, trust_env=False) as client:  # one: to make another takes 20 ms
        while time.monotonic() < deadline:
            if process.poll() is not None or FAILED in log.read_bytes():
                raise ServiceError(f"the service could not start; its log ends:\n{tail(log)}")
            with suppress(httpx.TransportError):
                if client.get("/readyz").is_success:
                    return
            tick()
            time.sleep(0.1)
    raise ServiceError(f"the service was not ready within {READY_SECONDS:.0f} s; its log ends:\n{tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask politely, then end what is left; BentoML's worker has a session of its own, so by its id."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        for survivor in (*psutil.wait_procs(family, timeout=1)[1], process):
            with suppress(psutil.NoSuchProcess):
                survivor.kill()
    process.wait()


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

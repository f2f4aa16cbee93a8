"""A peer as a process, ended with its caller, and all that it started with it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import psutil

from serving.process import READY_SECONDS, ROOT, ServiceError, free_port


@dataclass(frozen=True, slots=True)
class Peer:
    """The module that serves it, the path that answers once it is ready, and the package that it needs."""

    module: str
    ready: str
    package: str


PEERS: Mapping[str, Peer] = {
    "Starlette + uvicorn": Peer("serving.benchmarks.peer", "/readyz", "uvicorn"),
    "LitServe": Peer("serving.benchmarks.lit_peer", "/health", "litserve"),
}


def missing(peer: Peer) -> str | None:
    """Why a peer cannot take part, if so."""
    return None if find_spec(peer.package) else f"{peer.package} is not installed: pip install -e '.[bench]'"


@contextmanager
def serving(peer: Peer, bundle: Path | None) -> Iterator[str]:
    """Start it on a free port of 127.0.0.1; gives its address once it answers."""
    args = [str(port := free_port()), *([str(bundle.absolute())] if bundle else [])]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", peer.module, *args], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        _wait(process, (url := f"http://127.0.0.1:{port}") + peer.ready)
        yield url
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], page: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(page, timeout=2, trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise ServiceError(f"a peer of the service did not start: {page} does not answer")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()

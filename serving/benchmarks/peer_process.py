"""The peer as a process, ended with its caller."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from serving.process import READY_SECONDS, ROOT, ServiceError, free_port


@contextmanager
def peer(bundle: Path | None) -> Iterator[str]:
    """Start it on a free port of 127.0.0.1; gives its address once it answers."""
    args = [str(port := free_port()), *([str(bundle.absolute())] if bundle else [])]
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "serving.benchmarks.peer", *args], cwd=ROOT)
    try:
        _wait(process, url := f"http://127.0.0.1:{port}")
        yield url
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{url}/readyz", timeout=2, trust_env=False)
            return
        time.sleep(0.1)
    raise ServiceError("the peer of the service did not start")

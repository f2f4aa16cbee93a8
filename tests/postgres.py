"""A real PostgreSQL server of the tests' own: a folder, a socket in it, no port; it can be stopped and started."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OWNER = "postgres"  # the server refuses to run as root


def binaries() -> Path | None:
    """The newest installed server's folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    path = shutil.which("postgres")
    return found[-1].parent if found else Path(path).resolve().parent if path else None


class PostgresServer:
    """A cluster in `folder`; trust for who can reach the socket."""

    def __init__(self, folder: Path, programs: Path, owner: str | None) -> None:
        self.folder, self._programs, self._owner = folder, programs, owner
        self.url = f"postgresql://{owner or pwd.getpwuid(os.geteuid()).pw_name}@/postgres?host={folder}"

    def run(self, *arguments: str) -> None:
        program, *rest = arguments
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *rest]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=self._owner, cwd=self.folder)

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A started server; the test is skipped where PostgreSQL is not installed."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    owner = OWNER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="yujing-pg-") as name:
        if owner:
            shutil.chown(name, owner)
        server = PostgresServer(Path(name), programs, owner)
        server.run("initdb", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()

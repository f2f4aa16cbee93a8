"""The real service at more than it can do, for minutes: nothing lost, memory flat, p99 bounded, every answer stored.

    python tests/soak_service.py --minutes 10 --factor 1.5   # or: make soak

The capacity is measured first, by as many clients as meet in the engine. Then one single-threaded process sends
`factor` times as much at its own times. It writes runs/soak.json and runs/soak.svg; exit code 1 if a demand is not met.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from soak_chart import chart
from soak_figures import WINDOW, Asked, failures, growth, read, tally, windows

from serving.gate.keys import new_key
from serving.process import ROOT, SERVICE, Running, running
from serving.store.database import Database
from serving.store.settings import StoreSettings
from serving.store.tables import predictions

CLIENT = Path(__file__).with_name("soak_client.py")
CLIENTS = 16  # threads of the service
WARM = 0.3  # share of the capacity run that is not counted


@dataclass(frozen=True, slots=True)
class Plan:
    """What to soak, and how."""

    seconds: float
    factor: float = 1.5
    capacity_seconds: float = 20.0
    service: str = SERVICE
    root: Path = ROOT


def start_client(server: Running, out: Path, key: str, seconds: float, *way: str) -> subprocess.Popen[bytes]:
    """The other process."""
    command = [sys.executable, str(CLIENT), server.url, str(out), "--key", key, "--seconds", str(seconds), *way]
    return subprocess.Popen(command, cwd=ROOT)


def resident(server: Running) -> float:
    """MB of the supervisor and all its processes."""
    supervisor = psutil.Process(server.pid)
    return sum(one.memory_info().rss for one in [supervisor, *supervisor.children(recursive=True)]) / 2**20


def capacity(asked: Iterable[Asked], seconds: float) -> float:
    """Accepted requests per second, once it is warm."""
    begin = seconds * WARM
    return sum(one.status == 200 and begin <= one.due + one.seconds < seconds for one in asked) / (seconds - begin)


def watch(client: subprocess.Popen[bytes], server: Running) -> dict[float, float]:
    """Resident memory by seconds since the start, until the client ends."""
    start, memory = time.monotonic(), {}
    while True:
        memory[time.monotonic() - start] = round(resident(server), 1)
        if client.poll() is not None:
            finish(client)
            return memory
        with suppress(subprocess.TimeoutExpired):
            client.wait(WINDOW)


def finish(client: subprocess.Popen[bytes]) -> None:
    """Wait for a client; without it there is nothing to judge."""
    if client.wait():
        sys.exit("the client failed")


def audit(folder: Path, ids: Iterable[str]) -> dict[str, int]:
    """Prediction ids that callers were given against those in the database."""
    given = [*ids]
    base = Database(StoreSettings(folder=folder).database())
    with base.read() as connection:
        stored = {*connection.scalars(sa.select(predictions.c.id))}
    base.close()
    spools = sum(1 for path in folder.glob("spool-*.jsonl") for _ in path.open("rb"))
    wanted = {*given}
    counts = {"given": len(given), "repeated": len(given) - len(wanted), "stored": len(stored), "left_in_spool": spools}
    return counts | {"missing": len(wanted - stored), "surplus": len(stored - wanted)}


def soak(plan: Plan) -> dict[str, Any]:
    """Start, measure, overload, stop, audit."""
    secret, key = new_key("soak", ["score"])
    with tempfile.TemporaryDirectory(prefix="yujing-soak-") as name:
        folder, first, second = Path(name) / "store", Path(name) / "first.jsonl", Path(name) / "second.jsonl"
        env = {"YUJING_KEYS": key.line, "YUJING_RATE": "0", "YUJING_STORE": str(folder), "YUJING_THREADS": "1"}
        env["YUJING_REMEMBERED"] = "0"  # the samples come again and again, and each time shall be work
        with running(env, plan.service, plan.root) as server:
            span = plan.capacity_seconds
            finish(start_client(server, first, secret, span, "--clients", str(CLIENTS)))
            able = capacity(read(first), span)
            rate = plan.factor * able
            print(f"capacity {able:.1f} requests a second; sending {rate:.1f} for {plan.seconds:.0f} s", flush=True)
            client = start_client(server, second, secret, plan.seconds, "--rate", str(rate))
            memory = watch(client, server)
            said = [line for line in server.log.read_text(encoding="utf-8").splitlines() if '"request"' not in line]
        before, asked = read(first), read(second)
        report = {
            "capacity_per_second": round(able, 1),
            "factor": plan.factor,
            "seconds": plan.seconds,
            "total": tally(asked),
            "memory_growth": round(growth(memory), 4),
            "store": audit(folder, (one for request in (*before, *asked) for one in request.ids)),
            "log": said[-20:],
            "windows": windows(asked, memory),
        }
    return report | {"failures": failures(report)}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--factor", type=float, default=1.5)
    parser.add_argument("--out", type=Path, default=Path("runs/soak.json"))
    given = parser.parse_args()
    report = soak(Plan(60 * given.minutes, given.factor))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    given.out.with_suffix(".svg").write_text(chart(report["windows"]), encoding="utf-8")
    print(json.dumps({name: value for name, value in report.items() if name != "windows"}, indent=1))
    sys.exit(1 if report["failures"] else 0)


if __name__ == "__main__":
    main()

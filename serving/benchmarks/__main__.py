"""`python -m serving.benchmarks`: run the parts one after another, write JSON, Markdown and SVG, show the tables."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from data.command_line import run_function
from data.errors import ConfigError
from models.bundle import open_bundle
from serving.batch.pools import ONE_THREAD
from serving.benchmarks.clock import usable
from serving.benchmarks.engines import computed_with
from serving.benchmarks.markdown import write_markdown
from serving.benchmarks.part import PARTS
from serving.benchmarks.picture import draw
from serving.process import ROOT

OUT = Path("runs/bench.json")


def bench(
    part: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PARTS)}.", show_default="all")] = None,
    texts: Annotated[int, typer.Option(min=8, help="Posts that are timed; also requests of one client.")] = 400,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender.")] = 5,
    bundle: Annotated[Path | None, typer.Option(help="Folder of another bundle than the shipped one.")] = None,
    core_hour: Annotated[
        float, typer.Option(help="USD for an hour of a core; the default is about what clouds ask.")
    ] = 0.05,
    out: Annotated[Path, typer.Option(help="JSON to write; tables (Markdown) and picture (SVG) go beside it.")] = OUT,
) -> None:
    """Time the engines, the whole path and the service, each against a peer of the same run."""
    if unknown := {*(part or ())} - {*PARTS}:
        raise ConfigError(f"--part {min(unknown)}: give one of {', '.join(PARTS)}")
    open_bundle(bundle)  # refused here in one line, not in the process of a part
    found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": _machine()}
    found["core_hour_price"] = core_hour
    for name in part or PARTS:
        typer.echo(f"{name} …", err=True)
        found[name] = _run(name, texts, rounds, bundle)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    tables = write_markdown(found)
    out.with_suffix(".md").write_text(tables, encoding="utf-8")
    out.with_suffix(".svg").write_text(draw(found), encoding="utf-8")
    typer.echo(tables)


def _run(name: str, texts: int, rounds: int, bundle: Path | None) -> Any:
    """A process of its own, in which every numeric library has one thread from the start."""
    args = [sys.executable, "-W", "ignore", "-m", "serving.benchmarks.part", name, str(texts), str(rounds)]
    args += [str(bundle.absolute())] if bundle else []
    done = subprocess.run(args, env=os.environ | ONE_THREAD, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _machine() -> dict[str, Any]:
    """What the figures depend on; no name of the machine."""
    load = round(psutil.getloadavg()[0], 1)
    python, engines = platform.python_version(), computed_with()
    return {"cpu": _cpu(), "cores": len(usable()), "load": load, "python": python, "engines": engines}


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    run_function(bench)

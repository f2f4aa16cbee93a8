"""The few figures of a run that the README shows; `markdown` has all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from data.markdown import table
from models.engine_name import DEFAULT
from serving.benchmarks.engines import OURS, PIPELINE, TORCH
from serving.benchmarks.markdown import spread
from serving.benchmarks.path import FILES, SCORER
from serving.benchmarks.service import BARE, SERVICE

Figures = Mapping[str, Any]


def write_headline(found: Figures) -> str:
    """One table of what was run, a line per question."""
    rows = [*_engine(found), *_path(found), *_service(found)]
    return table(["question", "measured"], rows) if rows else "nothing was run"


def _engine(found: Figures) -> Iterator[tuple[str, str]]:
    if "engines" not in found:
        return
    engine = found["engines"]["engines"][OURS[DEFAULT]]
    pipeline, torch = engine[f"over {PIPELINE}"], engine[f"over {TORCH}"]
    yield f"{OURS[DEFAULT]}, posts a second on one thread", spread(pipeline["rows_per_second"])
    yield f"over {PIPELINE}", spread(pipeline["times_by_cpu"], "×")
    yield f"over {TORCH}", spread(torch["times_by_cpu"], "×")


def _path(found: Figures) -> Iterator[tuple[str, str]]:
    for name in (SCORER, FILES):
        if share := found.get("path", {}).get("shares", {}).get(name):
            yield f"`{name}`, share of the bare engine's rate", spread(share["times_by_cpu"])
    if rates := found.get("scaling", {}).get("rows_per_second"):
        most = max(rates, key=int)
        yield f"`yujing score`, rows a second on {most} processes, once started", spread(rates[most])


def _service(found: Figures) -> Iterator[tuple[str, str]]:
    if "service" not in found:
        return
    service = found["service"]
    for name in (BARE, SERVICE):
        ms = service["one_client"][name]
        yield f"one short post at a time, `{name}`", f"p50 {ms['p50']} ms, p99 {ms['p99']} ms"
    for size, figures in service["clients"][SERVICE].items():
        yield f"32 clients, {size}: posts a second", spread(figures["posts_per_second"])
    yield "start to ready; memory of the worker", f"{service['seconds_to_ready']} s; {service['resident_mb_after']} MB"

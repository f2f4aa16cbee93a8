"""One picture of a run: posts per second of a core, as an SVG of bars with their range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from models.engine_name import DEFAULT
from serving.benchmarks.engines import OURS, PIPELINE

WIDTH, LEFT, ROW = 760, 250, 30
BLUE, GREY = "#1f6f8b", "#b9b4a7"

Bar = tuple[str, Mapping[str, float], bool]  # name, median and range, whether it is what ships


def bars(found: Mapping[str, Any]) -> Iterator[Bar]:
    """Posts per CPU second of every engine and of the whole path, as far as they were run."""
    for name, figures in found.get("engines", {}).get("engines", {}).items():
        yield name, figures[f"over {PIPELINE}"]["rows_per_cpu_second"], name == OURS[DEFAULT]
    for name, figures in found.get("path", {}).get("shares", {}).items():
        yield name, figures["rows_per_cpu_second"], True


def draw(found: Mapping[str, Any]) -> str:
    """The SVG; empty of bars where neither part was run."""
    rows = list(bars(found))
    scale = (WIDTH - LEFT - 90) / max((spread["high"] for _, spread, _ in rows), default=1)
    height = ROW * len(rows) + 50
    title = f"posts per second of one core ({found['machine']['cpu']}); the line is the range of the rounds"
    body = "\n".join(_bar(*row, 40 + ROW * place, scale) for place, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="13" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n<text x="10" y="22">{escape(title)}</text>\n{body}\n</svg>\n'
    )


def _bar(name: str, spread: Mapping[str, float], ours: bool, y: int, scale: float) -> str:
    low, middle, high = (LEFT + spread[key] * scale for key in ("low", "median", "high"))
    half = y + ROW / 2 - 4
    return (
        f'<text x="{LEFT - 8}" y="{half + 5}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{middle - LEFT:.1f}" height="{ROW - 8}" fill="{BLUE if ours else GREY}"/>'
        f'<line x1="{low:.1f}" y1="{half}" x2="{high:.1f}" y2="{half}" stroke="black"/>'
        f'<text x="{high + 6:.1f}" y="{half + 5}">{spread["median"]:g}</text>'
    )

"""The picture of a soak as SVG: requests, latency of accepted ones and resident memory over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, GAP = 720, 150, 70, 30, 50
PANELS: Sequence[tuple[str, Mapping[str, str]]] = (
    (
        "requests in 10 s",
        {
            "sent": "#222222",
            "accepted": "#2f6fd0",
            "refused_503": "#e07b00",
            "refused_429": "#c9a400",
            "lost": "#c62828",
        },
    ),
    ("milliseconds of accepted requests", {"p50_ms": "#2f6fd0", "p99_ms": "#c62828"}),
    ("resident MB of the service's processes", {"resident_mb": "#2f6fd0"}),
)


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def _panel(top: float, title: str, lines: Mapping[str, str], windows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    most = max([float(row[name] or 0) for row in windows for name in lines] + [1.0]) * 1.05
    end = max(row["from_s"] for row in windows) or 1.0
    yield _text(LEFT, top - 8, title)
    for share in (0.0, 0.5, 1.0):
        y = top + HEIGHT * (1 - share)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + WIDTH}" y2="{y}" stroke="#dddddd"/>'
        yield _text(LEFT - 6, y + 4, f"{most * share:.0f}", "end")
    for place, (name, colour) in enumerate(lines.items()):
        points = " ".join(
            f"{LEFT + WIDTH * row['from_s'] / end:.1f},{top + HEIGHT * (1 - row[name] / most):.1f}"
            for row in windows
            if row[name] is not None
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        yield _text(LEFT + WIDTH - 90 * place, top - 8, name, "end", colour)
    yield _text(LEFT + WIDTH, top + HEIGHT + 16, f"{end:.0f} s", "end")


def chart(windows: Sequence[Mapping[str, Any]]) -> str:
    """The whole picture."""
    height = len(PANELS) * (HEIGHT + GAP) + TOP
    parts = [
        part
        for number, (title, lines) in enumerate(PANELS)
        for part in _panel(TOP + number * (HEIGHT + GAP), title, lines, windows)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" font-size="12"'
    background = f'<rect width="100%" height="{height}" fill="white"/>'
    return "\n".join([f'{head} font-family="sans-serif">', background, *parts, "</svg>\n"])

"""The picture of a replay, drawn as SVG: recall of crossings against false alarms per day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log10

Point = tuple[float, float]  # false alarms per day, recall

WIDTH, HEIGHT, LEFT, TOP = 640, 400, 60, 40
RIGHT, BOTTOM = WIDTH - 30, HEIGHT - 50
LEAST = 0.1  # false alarms per day at the left edge
COLOURS: Mapping[str, str] = {"blue": "#2f6fd0", "yellow": "#c9a400", "orange": "#e07b00", "red": "#c62828"}
OTHER = "#222222"


def _place(point: Point, most: float) -> Point:
    share = log10(max(point[0], LEAST) / LEAST) / log10(most / LEAST)
    return LEFT + share * (RIGHT - LEFT), BOTTOM - point[1] * (BOTTOM - TOP)


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _grid(most: float) -> Iterator[str]:
    for recall in (0, 0.25, 0.5, 0.75, 1):
        _, y = _place((LEAST, recall), most)
        yield _line(LEFT, y, RIGHT, y)
        yield _text(LEFT - 8, y + 4, f"{recall:.0%}", "end")
    budget = LEAST
    while budget <= most:
        x, _ = _place((budget, 0), most)
        yield _line(x, TOP, x, BOTTOM)
        yield _text(x, BOTTOM + 18, f"{budget:g}")
        budget *= 10
    yield _text((LEFT + RIGHT) / 2, HEIGHT - 10, "false alarms per day (log)")
    yield _text(LEFT, TOP - 8, "crossings caught", "start")


def chart(title: str, line: Sequence[Point], marks: Mapping[str, Point]) -> str:
    """An SVG: the curve over all thresholds, and named points on it (risk levels, the chosen threshold)."""
    most = max(10 * LEAST, *(x for x, _ in (*line, *marks.values())))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_place(point, most) for point in line))
    parts = [*_grid(most), f'<polyline points="{path}" fill="none" stroke="{OTHER}" stroke-width="1.5"/>']
    for name, point in marks.items():
        x, y = _place(point, most)
        colour = COLOURS.get(name, OTHER)
        aside, anchor = (8, "start") if x < WIDTH - 150 else (-8, "end")  # else the name leaves the picture
        circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
        parts += [circle, _text(x + aside, y + 14, name, anchor)]
    parts.append(_text(WIDTH / 2, 20, title))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    return f'{head} font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(
        [*parts, "</svg>\n"]
    )

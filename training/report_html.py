"""The report of an evaluation: its figures as JSON, and as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from data.files import whole
from data.strict_json import finite, strict_json

MODELS = ("yujing", "bert", "tfidf", "majority")
NOTHING = "–"


def number(value: float | None, digits: int = 3) -> str:
    """So many digits, or a dash for what could not be measured."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def spread(figure: Sequence[float | None]) -> str:
    """A figure with its interval."""
    value, low, high = map(number, figure)
    return f"{value} [{low}, {high}]"


def place(value: float, left: float, right: float) -> str:
    """Where a value lies on the axis of `whiskers` (see report_charts.html), in pixels; kept within it."""
    return f"{200 + 420 * min(1.0, max(0.0, (value - left) / (right - left))):.1f}"


def is_figure(value: object) -> bool:
    """Whether this is [value, low, high]."""
    return isinstance(value, list) and len(value) == 3 and all(x is None or isinstance(x, int | float) for x in value)


def environment() -> Environment:
    """Templates of this folder; every text on a page is escaped: posts are hostile input."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"number": number, "spread": spread, "place": place, "is_figure": is_figure}
    return made


def _class_rows(text: Mapping[str, Any]) -> list[tuple[str, list[float], float | None, str]]:
    peer = text.get("tfidf", {}).get("per_class_f1", {})
    return [(key, row["f1"], peer.get(key), f"({row['rows']})") for key, row in text["f1_by_class"].items()]


def _drop_rows(text: Mapping[str, Any]) -> list[tuple[str, list[float], None, str]]:
    rows = text.get("robustness", {}).items()
    return [(name, row["drop_macro_f1"], None, f"({row['changed']:.0%})") for name, row in rows]


def html(found: Mapping[str, Any]) -> str:
    """The page of what `evaluate` found."""
    found = finite(found)
    text = found.get("text")
    pictures = {
        "models": {name: text[name] for name in MODELS if name in text} if text else {},
        "classes": _class_rows(text) if text else [],
        "drops": _drop_rows(text) if text else [],
    }
    return environment().get_template("report.html").render(found=found, **pictures)


def write_json(found: Mapping[str, Any], out: Path) -> Path:
    """Write figures as strict JSON; the path."""
    return write_whole(out, strict_json(found))


def write_report(found: Mapping[str, Any], out: Path) -> tuple[Path, Path]:
    """Write `out` (JSON) and the page beside it, with the suffix .html; both paths."""
    return write_json(found, out), write_whole(out.with_suffix(".html"), html(found))


def write_whole(path: Path, text: str) -> Path:
    """Write a text, and the folder that it is to lie in; the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path

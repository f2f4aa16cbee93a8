"""Results as a ranked table of alerts for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from data.records import Item
from data.results import Result

STYLES = {
    "red": "bold white on red",
    "orange": "bold black on dark_orange",
    "yellow": "bold black on yellow",
    "blue": "bold white on blue",
    "green": "bold black on green",
}
COLUMNS: tuple[tuple[str, dict[str, int]], ...] = (
    ("risk", {"min_width": 4}),
    ("category", {"min_width": 8}),
    ("severity", {"min_width": 8}),
    ("escalation", {"min_width": 11}),
    ("words", {"ratio": 2}),
    ("tell", {"ratio": 2}),
    ("within", {"min_width": 8}),
    ("post", {"ratio": 5}),
)
MAX_WORDS = 4
TELLING = 4  # a word that speaks less than a quarter as much as the strongest one only fills the line

Scored = tuple[Item, Result]


def urgency(scored: Scored) -> tuple[float, float, float]:
    """Sort key, worst first: risk, then severity, then likelihood of escalation."""
    _, result = scored
    return (
        -(result.risk.rank if result.risk else -1),
        -(result.severity.rank if result.severity else -1),
        -(result.escalation.probability if result.escalation else 0.0),
    )


def is_alert(scored: Scored) -> bool:
    """Anything that someone must act on, or that could not be scored."""
    _, result = scored
    return result.error is not None or result.risk is None or result.risk.rank > 0


def alert_table(alerts: Sequence[Scored]) -> Table:
    """One line an alert, cut to the terminal's width; who is told is never cut."""
    table = Table(expand=True, pad_edge=False, title="alerts, worst first", title_justify="left")
    for name, options in COLUMNS:
        table.add_column(name, no_wrap=name != "tell", overflow="fold" if name == "tell" else "ellipsis", **options)  # type: ignore[arg-type]
    for item, result in alerts:
        table.add_row(*_cells(item, result))
    return table


def _cells(item: Item, result: Result) -> Iterator[Text]:
    category, severity, risk = result.category, result.severity, result.risk
    yield Text(f" {risk.name} ", STYLES.get(risk.level, "")) if risk else Text("error", "red")
    yield Text(category.name if category else "-")
    yield Text(f"{severity.level} {severity.name}".strip() if severity else "-")
    yield Text(_escalation(result))
    yield Text(" ".join(words(result)))
    yield Text("、".join(risk.notify) if risk else "")
    yield Text(_deadline(risk.respond_within_minutes if risk else None))
    yield Text(result.error.message if result.error else " ".join((item.text or f"[{item.id}]").split()))


def _escalation(result: Result) -> str:
    if result.escalation is None or result.escalation.told_lift is None:
        return "-"
    if result.escalation.crossed:
        return "past its line"
    return f"{result.escalation.probability:.0%} ({result.escalation.lift:.1f}×)"


def _deadline(minutes: int | None) -> str:
    if minutes is None:
        return "-"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:g} h"


def words(result: Result) -> list[str]:
    """The words that show signals, then those that speak most for the category, each once."""
    shown = [word.text for signal in result.signals for word in signal.words]
    strongest = max((word.weight for word in result.evidence), default=0.0)
    telling = (word for word in result.evidence if word.weight > max(strongest / TELLING, 0))
    speaking = sorted(telling, key=lambda word: -word.weight)
    return list(dict.fromkeys([*shown, *(word.text for word in speaking)]))[:MAX_WORDS]


def count_levels(results: Sequence[Result]) -> str:
    """`红色 3, 橙色 12, …`, worst first, and what could not be scored."""
    levels = Counter((result.risk.rank, result.risk.name) for result in results if result.risk)
    failed = sum(result.error is not None for result in results)
    parts = [f"{name} {count}" for (_, name), count in sorted(levels.items(), reverse=True)]
    return ", ".join(parts + ([f"failed {failed}"] if failed else []))

"""The demo's table: worst first, nobody who must be told is cut off, failures are shown, not dropped."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from data.records import Item
from data.results import (
    CategoryResult,
    EscalationResult,
    Evidence,
    ItemError,
    Result,
    RiskResult,
    SeverityResult,
    Signal,
    Word,
)
from serving.alerts import alert_table, count_levels, is_alert, urgency, words

ROLES = ("客服", "公关", "信息收集组", "法务", "质控/安全", "管理层")


def _result(rank: int, level: str = "red", name: str = "红色", likelihood: float | None = None) -> Result:
    escalation = None
    if likelihood is not None:
        escalation = EscalationResult("counts", likelihood, 0.1, likelihood * 10, 6, "D", 9, True, (), ())
    return Result(
        id="a",
        category=CategoryResult("other", "其他危机", 0.9, ("other",), {"other": 0.9}),
        severity=SeverityResult(min(rank, 4), "Ⅱ", "重大", "orange", (0.0, 0.0, 0.0, 1.0, 0.0)),
        escalation=escalation,
        risk=RiskResult(rank, level, name, 60, ROLES, ("核实事实",), ("理由",)),
        signals=(Signal("legal_action", (Word("律师", 0, 2),)),),
        evidence=(Evidence("假货", 2, 4, 4.0), Evidence("面霜", 4, 6, 0.9), Evidence("律师", 0, 2, 3.0)),
    )


def test_worst_first() -> None:
    likely, calm, low = _result(3, likelihood=0.5), _result(3), _result(1)
    failed = Result(id="f", error=ItemError("empty_text", "nothing is left"))
    shuffled = [(Item(text="x"), result) for result in (failed, low, calm, likely)]
    assert [result for _, result in sorted(shuffled, key=urgency)] == [likely, calm, low, failed]


def test_green_is_no_alert_and_a_failure_is_one() -> None:
    assert not is_alert((Item(text="x"), _result(0)))
    assert is_alert((Item(text="x"), _result(1)))
    error = ItemError("empty_text", "…")
    assert is_alert((Item(text="x"), Result(id="f", error=error)))
    assert is_alert((Item(text="x"), replace(_result(0), error=error)))  # its volume is calm, its text was not read


def test_words_are_signals_then_what_tells_most_each_once() -> None:
    assert words(_result(3)) == ["律师", "假货"]  # 面霜 says less than a quarter of what 假货 says
    assert words(Result(id="f")) == []


def test_the_table_names_everybody_who_must_be_told() -> None:
    console = Console(file=io.StringIO(), width=150)
    failed = Result(id="f", error=ItemError("empty_text", "nothing is left"))
    console.print(alert_table([(Item(text="一则帖子"), _result(3, likelihood=0.5)), (Item(text=" "), failed)]))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    told = "".join(line.split("│")[6].strip() for line in shown.splitlines() if line.startswith("│"))
    assert told == "、".join(ROLES)
    for said in ("红色", "其他危机", "50%", "5.0×", "60 min", "一则帖子", "error", "nothing is left"):
        assert said in shown


def test_levels_are_counted_worst_first() -> None:
    results = [_result(0, "green", "绿色"), _result(4), _result(4), Result(id="f", error=ItemError("c", "m"))]
    assert count_levels(results) == "红色 2, 绿色 1, failed 1"

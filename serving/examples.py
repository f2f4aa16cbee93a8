"""Examples for the API's documentation page; the first is what its "Try it out" sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from data.records import Item, Volume
from data.results import CategoryResult, EscalationResult, Factor, Result, RiskResult, SeverityResult, Signal, Word
from serving.wire import read_json, write_results

SAMPLE_ITEMS = [
    Item(
        id="w1",
        text="在官方旗舰店买的面霜是假货，客服一直推诿，再不退款我就打12315投诉到底！",
        volume=Volume(
            as_of=datetime.fromisoformat("2026-03-15T12:00:00+08:00"),
            counts=(2, 3, 5, 4, 8, 13, 21, 30, 44, None, 71, 96),
        ),
    ),
    Item(id="w2", text="物流很快，包装完好，会再来。"),
]

SAMPLE_RESULTS = [
    Result(
        id="w1",
        category=CategoryResult("counterfeit_ip", "假冒侵权", 0.91, ("counterfeit_ip",), {"counterfeit_ip": 0.91}),
        severity=SeverityResult(2, "Ⅲ", "较大", "yellow", (0.01, 0.1, 0.7, 0.17, 0.02)),
        signals=(Signal("escalation_threat", (Word("12315", 28, 33),)),),
        escalation=EscalationResult(
            head="counts",
            probability=0.31,
            base_rate=0.06,
            lift=5.2,
            horizon_hours=6,
            target="D",
            n_obs=11,
            in_domain=True,
            missing=(),
            factors=(Factor("growth_6h", "近6小时发帖量快速增长", 0.8),),
        ),
        risk=RiskResult(3, "orange", "橙色", 60, ("公关", "法务"), ("核实事实",), ("较大 × 5.2 倍",)),
        model="yujing-risk:1a2b3c4d5e6f",
    )
]


@dataclass(frozen=True)
class WithExample:
    """Annotation that puts example results into a type's JSON schema (OpenAPI 3.0 `example`)."""

    results: list[Result]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        schema["example"] = read_json(write_results(self.results))
        return schema

    __hash__ = None  # type: ignore[assignment]

"""Examples for the API's documentation page; the first is what its "Try it out" sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from data.records import Item, Volume
from data.results import (
    CategoryResult,
    EscalationResult,
    Evidence,
    Factor,
    Result,
    RiskResult,
    SeverityResult,
    Signal,
    Word,
)
from models.escalation import TARGET
from serving.wire import read_json, write_results

SAMPLE_ITEMS = [
    Item(
        id="w1",
        text="在官方旗舰店买的面霜是假货，客服一直推诿，再不退款我就打12315投诉到底！",
        volume=Volume(
            as_of=datetime.fromisoformat("2026-03-15T12:00:00+08:00"),
            counts=(2, 3, 1, 4, 8, 13, 9, 11, 21),
        ),
        explain=True,
    ),
    Item(id="w2", text="物流很快，包装完好，会再来。"),
]

# probabilities of the categories
COUNTERFEIT = {
    "none": 0.0051, "product_quality": 0.0138, "food_health_safety": 0.0122, "counterfeit_ip": 0.7995,
    "false_advertising": 0.0081, "pricing_promotion": 0.0035, "after_sales_refund": 0.1301,
    "logistics_fulfilment": 0.004, "platform_rules": 0.0021, "fraud_funds": 0.0066, "privacy_data": 0.0006,
    "platform_outage": 0.0005, "service_conduct": 0.01, "labor_governance": 0.0015, "values_controversy": 0.0008,
    "public_safety": 0.0006, "other": 0.001,
}  # fmt: skip
NONE = {
    "none": 0.9953, "product_quality": 0.0009, "food_health_safety": 0.0003, "counterfeit_ip": 0.0002,
    "false_advertising": 0.0001, "pricing_promotion": 0.0004, "after_sales_refund": 0.0003,
    "logistics_fulfilment": 0.0012, "platform_rules": 0.0001, "fraud_funds": 0.0002, "privacy_data": 0.0001,
    "platform_outage": 0.0001, "service_conduct": 0.0001, "labor_governance": 0.0002, "values_controversy": 0.0001,
    "public_safety": 0.0003, "other": 0.0001,
}  # fmt: skip

SAMPLE_RESULTS = [  # what the shipped bundle answered
    Result(
        id="w1",
        category=CategoryResult("counterfeit_ip", "假冒侵权", 0.7995, ("counterfeit_ip",), COUNTERFEIT),
        severity=SeverityResult(2, "Ⅲ", "较大", "yellow", (0.0051, 0.0123, 0.9493, 0.0328, 0.0005)),
        signals=(Signal("escalation_threat", (Word("12315", 28, 33), Word("投诉到底", 33, 37))),),
        escalation=EscalationResult(
            head="counts",
            probability=0.1481,
            base_rate=0.0917,
            lift=1.62,
            horizon_hours=6,
            target=TARGET,
            n_obs=9,
            in_domain=True,
            missing=("authors", "negative"),
            factors=(
                Factor("momentum", "近3小时发帖量是前3小时的1.6倍", 1.19),
                Factor("peak", "距峰值0小时，当前为峰值的100%", 0.63),
                Factor("needed", "未来6小时需约106帖才算升级", -0.2),
                Factor("clock", "当前12时，按作息未来6小时预计为前6小时的1.1倍", 0.16),
            ),
            calibrated_until=datetime.fromisoformat("2013-01-21T02:00:00+00:00"),
            calibration_stale=True,
            lift_band="raised",
        ),
        risk=RiskResult(
            2,
            "yellow",
            "黄色",
            240,
            ("客服", "公关", "信息收集组", "法务", "质控/安全"),
            (
                "核实事实和影响范围",
                "判定事件类型与紧急程度，指定一名负责人和统一口径",
                "联系当事人，协商补救",
                "准备对外答复，逐小时监测声量",
            ),
            ("严重程度为较大（Ⅲ级）", "类别为假冒侵权", "升级可能性为基准的1.6倍", "文中出现信号：扬言曝光/投诉"),
        ),
        evidence=(Evidence("假货", 11, 13, 7.273), Evidence("旗舰店", 3, 6, 0.865), Evidence("官方", 1, 3, 0.244)),
        model="yujing-risk:d14667f62d1a",
    ),
    Result(
        id="w2",
        category=CategoryResult("none", "无危机", 0.9953, ("none",), NONE),
        severity=SeverityResult(0, "无", "无", "green", (0.9953, 0.0035, 0.001, 0.0001, 0.0)),
        risk=RiskResult(
            0,
            "green",
            "绿色",
            None,
            (),
            ("例行监测，留存记录",),
            ("严重程度为无", "类别为无危机", "没有声量数据，升级可能性未知"),
        ),
        model="yujing-risk:d14667f62d1a",
    ),
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

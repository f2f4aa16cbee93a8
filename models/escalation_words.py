"""The groups of features that an answer explains, and how a desk would say them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, isnan

from data.volume_pace import PRIOR

Values = Mapping[str, float]

# group -> prefixes of its features; a feature belongs to every group whose prefix it has, so prefixes are disjoint
GROUPS: dict[str, tuple[str, ...]] = {
    "momentum": ("growth_", "acceleration", "even_", "share_", "slope_", "intensity_ratio"),
    "level": ("log_1h", "log_2h", "log_3h", "log_6h", "log_12h", "log_24h", "log_total", "intensity_0", "intensity_1",
              "intensity_5"),
    "clock": ("hour", "log_rise"),
    "needed": ("needed_over_", "log_needed"),
    "peak": ("drawdown", "log_peak", "since_peak", "recency", "peak_"),
    "steadiness": ("spread_", "quiet_"),
    "age": ("age",),
    "authors": ("author_",),
    "negativity": ("negative_",),
}  # fmt: skip


def number(value: float, form: str = ".0f") -> str:
    """A number as a desk reads it; nan is unknown."""
    return "未知" if isnan(value) else format(value, form)


def _posts(log: float) -> str:
    return number(max(exp(log) - PRIOR, 0))


def _peak(v: Values) -> str:
    return f"距峰值{v['since_peak']:.0f}小时，当前为峰值的{number(min(exp(v['drawdown']), 1), '.0%')}"


WORDS: dict[str, Callable[[Values], str]] = {
    "momentum": lambda v: f"近3小时发帖量是前3小时的{number(exp(v['growth_3h']), '.1f')}倍",
    "level": lambda v: f"近6小时约{_posts(v['log_6h'])}帖，累计约{_posts(v['log_total'])}帖",
    "clock": lambda v: f"当前{v['hour']:.0f}时，按作息未来6小时预计为前6小时的{exp(v['log_rise']):.1f}倍",
    "needed": lambda v: f"未来6小时需约{number(exp(v['log_needed']))}帖才算升级",
    "peak": _peak,
    "steadiness": lambda v: f"近6小时波动系数{number(v['spread_6h'], '.1f')}，其中{v['quiet_6h']:.0f}小时无帖",
    "age": lambda v: f"话题已观测{exp(v['age']):.0f}小时",
    "authors": lambda v: f"近6小时独立作者占比{number(v['author_share_6h'], '.0%')}",
    "negativity": lambda v: f"近6小时负面占比{number(v['negative_share_6h'], '.0%')}",
}


def describe(group: str, values: Values) -> str:
    """One group of features with its numbers, in Chinese."""
    return WORDS[group](values)

"""The groups of hot-list features that an answer explains, and how a desk would say them."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, expm1, isnan

from data.hotlist import WIDTH
from models.escalation_words import Values, number

# group -> prefixes of its features; a feature belongs to every group whose prefix it has, so prefixes are disjoint
HOT_GROUPS: dict[str, tuple[str, ...]] = {
    "heat": ("ratio", "intensity_1", "intensity_6"),
    "momentum": ("step", "acceleration", "growth_", "linear_", "exponential_", "intensity_ratio", "unseen_hours"),
    "place": ("rank",),
    "peak": ("peak", "drawdown", "since_peak"),
    "reads": ("reads_",),
    "discussions": ("discussions_",),
    "originals": ("originals_",),
    "mix": ("mix_",),
    "clock": ("hour", "weekday"),
    "age": ("age", "n_obs"),
    "absence": ("away",),
}


VIEWS = {
    "no_rank": "topics whose place is not known",
    "heat_alone": "topics of which heat alone is known",
    "off_list": "topics that have left the list",
    "coarse": "bins of three hours",
    "coarse_heat_alone": "bins of three hours, heat alone",
}  # incomplete views, for the figures


def _share(log: float) -> str:
    return number(exp(log), ".0%")


def _momentum(v: Values) -> str:
    return "本轮仅观测1次，尚无走势" if isnan(v["step"]) else f"热度每小时变为上一小时的{exp(v['step']):.2f}倍"


def _heat(v: Values) -> str:
    return f"{'最后上榜时' if v['away'] > 0 else '当前'}热度为警戒线的{_share(v['ratio'])}"


def _place(v: Values) -> str:
    moved = v["rank_step"]
    if isnan(v["rank"]):
        return "榜单名次未知"
    if v["away"] > 0:
        return f"最后上榜时第{v['rank']:.0f}位"
    if isnan(moved) or round(moved) == 0:
        return f"榜单第{v['rank']:.0f}位"
    return f"榜单第{v['rank']:.0f}位，每小时{'下降' if moved > 0 else '上升'}{abs(moved):.0f}位"


def _count(log: float, hourly: float, what: str) -> str:
    total = "未知" if isnan(log) else f"{expm1(log):,.0f}"
    return f"累计{what}{total}" + ("" if isnan(hourly) else f"，近期每小时新增{expm1(hourly):,.0f}")


def _mix(v: Values) -> str:
    reads = expm1(v["reads_log"])
    if reads == 0:
        return "尚无阅读"
    rate = expm1(v["discussions_log"]) / reads * 10_000
    return "每万次阅读的讨论数未知" if isnan(rate) else f"每万次阅读讨论{rate:.1f}条"


def _age(v: Values) -> str:
    more = "以上" if v["age"] + 1 == WIDTH else ""  # what lies before the window is not read
    return f"本轮上榜{v['stay']:.0f}小时{more}，其间观测{v['n_obs']:.0f}次"


HOT_WORDS: dict[str, Callable[[Values], str]] = {
    "heat": _heat,
    "momentum": _momentum,
    "place": _place,
    "peak": lambda v: f"距本轮峰值{number(v['since_peak'])}小时，当前为峰值的{_share(v['drawdown'])}",
    "reads": lambda v: _count(v["reads_log"], v["reads_gain"], "阅读"),
    "discussions": lambda v: _count(v["discussions_log"], v["discussions_gain"], "讨论"),
    "originals": lambda v: _count(v["originals_log"], v["originals_gain"], "原创"),
    "mix": _mix,
    "clock": lambda v: f"当前{int(v['hour'])}时，周{'一二三四五六日'[int(v['weekday'])]}",
    "age": _age,
    "absence": lambda v: f"离开榜单已{v['away']:.0f}小时",
}


def describe_hot(group: str, values: Values) -> str:
    """One group of features with its numbers, in Chinese."""
    return HOT_WORDS[group](values)

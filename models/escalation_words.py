"""The groups of features that an answer explains, and how a desk would say them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, isnan

import numpy as np

from data.volume_pace import PRIOR, log_posts
from data.volume_windows import HORIZON, WIDTH, Floats, Windows, filled

Values = Mapping[str, float]
HALF = 3  # hours that are compared with those before them
LEAST = 0.05  # posts; what is less is a rounding error of a logarithm

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


def _posts_of(windows: Windows, full: Floats, hours: slice) -> Floats:
    """Posts of some hours of each topic's life, unknown ones as in `full`; nan where over half are unknown: [n]."""
    life, known = windows.life[:, hours], (windows.life & ~np.isnan(windows.counts))[:, hours]
    posts = np.where(life, full[:, hours], 0).sum(axis=1)
    return np.where(known.sum(axis=1) * 2 >= life.sum(axis=1), posts, np.nan)


def said_of(windows: Windows) -> list[dict[str, float]]:
    """What the words say instead of the features, which count the hours before the first bin as known: one each."""
    spans = {
        "log_3h": slice(-HALF, None),
        "log_before_3h": slice(-2 * HALF, -HALF),
        "log_6h": slice(-HORIZON, None),
        "log_total": slice(None),
    }
    full = filled(windows)
    found = {name: log_posts(_posts_of(windows, full, hours)) for name, hours in spans.items()}
    found["quiet_6h"] = np.asarray((windows.counts[:, -HORIZON:] == 0).sum(axis=1), float)
    return [dict(zip(found, row, strict=True)) for row in np.column_stack([*found.values()]).tolist()]


def _amount(log: float) -> float:
    """Posts behind a logarithm of the features, which is that of a few more; nan is unknown."""
    posts = exp(log) - PRIOR
    return 0.0 if posts < LEAST else posts


def _posts(log: float) -> str:
    return "帖数未知" if isnan(log) else f"约{number(_amount(log))}帖"


def _hours(v: Values) -> int:
    """Hours since the first bin; a whole window where the age is unknown."""
    return HORIZON if isnan(v["age"]) else round(exp(v["age"]))


def _momentum(v: Values) -> str:
    late, before, hours = _amount(v["log_3h"]), _amount(v["log_before_3h"]), _hours(v)
    if hours <= HALF:
        return f"近{hours}小时{_posts(v['log_3h'])}，此前没有观测"
    span = f"前{HALF}" if hours >= HORIZON else f"此前{hours - HALF}"
    if isnan(late):
        return "近3小时未知"
    if isnan(before):
        return f"近3小时{_posts(v['log_3h'])}，{span}小时未知"
    if before == 0:
        return f"近3小时{_posts(v['log_3h'])}，{span}小时无帖"
    return f"近3小时发帖量是{span}小时的{number(late / before, '.1f')}倍"


def _level(v: Values) -> str:
    span = "累计" if _hours(v) < WIDTH else f"近{WIDTH}小时"  # what lies before the window is not read
    return f"近6小时{_posts(v['log_6h'])}，{span}{_posts(v['log_total'])}"


def _needed(v: Values) -> str:
    if isnan(v["log_needed"]):
        return "近6小时帖数未知，升级所需帖数未知"
    return f"未来6小时需约{exp(v['log_needed']):.0f}帖才算升级"


def _peak(v: Values) -> str:
    peak = _amount(v["log_peak"])
    if peak == 0:
        return "至今无帖"
    now = _amount(v["log_1h"])
    present = "当前未知" if isnan(now) else f"当前为峰值的{min(now / peak, 1):.0%}"
    return f"距峰值{number(v['since_peak'])}小时，{present}"


def _steadiness(v: Values) -> str:
    mean, hours = _amount(v["log_6h"]) / HORIZON, min(_hours(v), HORIZON)
    quiet = max(v["quiet_6h"] - (HORIZON - hours), 0)  # the hours before the first bin count as quiet there
    if hours < HORIZON or mean == 0:
        return f"近{hours}小时中{quiet:.0f}小时无帖"
    if isnan(mean) or isnan(v["spread_6h"]):
        return "近6小时波动未知"
    return f"近6小时波动系数{number(v['spread_6h'] * (mean + PRIOR) / mean, '.1f')}，其中{quiet:.0f}小时无帖"


WORDS: dict[str, Callable[[Values], str]] = {
    "momentum": _momentum,
    "level": _level,
    "clock": lambda v: f"当前{(v['hour'] + 1) % 24:.0f}时，按作息未来6小时预计为前6小时的{exp(v['log_rise']):.1f}倍",
    "needed": _needed,
    "peak": _peak,
    "steadiness": _steadiness,
    "age": lambda v: f"话题已观测{exp(v['age']):.0f}小时{'以上' if _hours(v) == WIDTH else ''}",
    "authors": lambda v: f"近6小时独立作者占比{number(v['author_share_6h'], '.0%')}",
    "negativity": lambda v: f"近6小时负面占比{number(v['negative_share_6h'], '.0%')}",
}


def describe(group: str, values: Values) -> str:
    """One group of features with its numbers, in Chinese."""
    return WORDS[group](values)

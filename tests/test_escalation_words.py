"""Laws of the reasons: every feature belongs to one group, every group has words, and the unknown is called so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from self_exciting import model

from models.escalation_words import GROUPS, WORDS, describe

NAMES = model().names
GIVEN = {
    "growth_3h": 0.6931471805599453,
    "log_6h": 4.6102,
    "log_total": 5.3018,
    "hour": 14.0,
    "log_rise": 0.0,
    "log_needed": 5.0106,
    "since_peak": 2.0,
    "drawdown": -0.6931471805599453,
    "spread_6h": 0.25,
    "quiet_6h": 1.0,
    "age": 2.4849066497880004,
    "author_share_6h": 0.8,
    "negative_share_6h": 0.333,
}


def test_every_feature_belongs_to_exactly_one_group() -> None:
    for name in NAMES:
        assert len([group for group, prefixes in GROUPS.items() if name.startswith(prefixes)]) == 1, name


def test_every_group_has_features_and_words() -> None:
    assert set(GROUPS) == set(WORDS)
    for prefixes in GROUPS.values():
        assert all(any(name.startswith(prefix) for name in NAMES) for prefix in prefixes)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("momentum", "近3小时发帖量是前3小时的2.0倍"),
        ("level", "近6小时约100帖，累计约200帖"),
        ("clock", "当前14时，按作息未来6小时预计为前6小时的1.0倍"),
        ("needed", "未来6小时需约150帖才算升级"),
        ("peak", "距峰值2小时，当前为峰值的50%"),
        ("steadiness", "近6小时波动系数0.2，其中1小时无帖"),
        ("age", "话题已观测12小时"),
        ("authors", "近6小时独立作者占比80%"),
        ("negativity", "近6小时负面占比33%"),
    ],
)
def test_golden_words(group: str, said: str) -> None:
    assert describe(group, GIVEN) == said


@given(st.sets(st.sampled_from(["growth_3h", "log_6h", "log_total", "log_needed", "drawdown", "spread_6h"])))
def test_what_is_unknown_is_called_so(unknown: set[str]) -> None:
    values = GIVEN | dict.fromkeys(unknown, float("nan"))
    said = {group: describe(group, values) for group in GROUPS}
    assert not any("nan" in words for words in said.values())
    for group, names in {"momentum": {"growth_3h"}, "level": {"log_6h", "log_total"}, "peak": {"drawdown"}}.items():
        assert ("未知" in said[group]) == bool(unknown & names)

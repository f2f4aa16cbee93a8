"""Laws of the reasons: every feature belongs to one group, every group has words, and the unknown is called so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from self_exciting import model

from data.records import Volume
from data.volume import count_features
from data.volume_windows import windows_of
from models.escalation_words import GROUPS, WORDS, describe, said_of

NAMES = model().names
GIVEN = {
    "growth_3h": 0.6882,
    "log_1h": log(20.5),
    "log_3h": log(200 / 3 + 0.5),
    "log_before_3h": log(100 / 3 + 0.5),
    "log_6h": log(100.5),
    "log_peak": log(40.5),
    "log_total": 5.3018,
    "hour": 13.0,
    "log_rise": 0.0,
    "log_needed": 5.0106,
    "since_peak": 2.0,
    "drawdown": -0.6931471805599453,
    "spread_6h": 0.28,
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
        ("steadiness", "近6小时波动系数0.3，其中1小时无帖"),
        ("age", "话题已观测12小时"),
        ("authors", "近6小时独立作者占比80%"),
        ("negativity", "近6小时负面占比33%"),
    ],
)
def test_golden_words(group: str, said: str) -> None:
    assert describe(group, GIVEN) == said


LOGS = ["log_1h", "log_3h", "log_before_3h", "log_6h", "log_total", "log_needed"]


@given(st.sets(st.sampled_from([*LOGS, "spread_6h"])))
def test_what_is_unknown_is_called_so(unknown: set[str]) -> None:
    values = GIVEN | dict.fromkeys(unknown, float("nan"))
    said = {group: describe(group, values) for group in GROUPS}
    assert not any("nan" in words for words in said.values())
    for group, names in {
        "momentum": {"log_3h", "log_before_3h"},
        "level": {"log_6h", "log_total"},
        "peak": {"log_1h"},
        "steadiness": {"log_6h", "spread_6h"},
    }.items():
        assert ("未知" in said[group]) == bool(unknown & names)


def _said(
    counts: Sequence[float | None], as_of: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC), minutes: int = 60
) -> dict[str, str]:
    windows = windows_of([Volume(as_of=as_of, counts=tuple(counts), interval_minutes=minutes)])
    features = count_features(windows, np.full(24, 1 / 24))
    values = {name: float(found[0]) for name, found in features.items()} | said_of(windows)[0]
    return {group: describe(group, values) for group in GROUPS}


def _number(words: str, before: str) -> float:
    match = re.search(before + r"([\d.]+)", words)
    assert match, words
    return float(match[1])


@given(st.lists(st.integers(0, 3) | st.integers(0, 100_000), min_size=6, max_size=48))
def test_the_words_are_true_for_the_counts_they_speak_about(counts: list[int]) -> None:
    said, late, before, last = _said(counts), sum(counts[-3:]), sum(counts[-6:-3]), counts[-6:]
    if before:
        assert _number(said["momentum"], "前3小时的") == pytest.approx(late / before, abs=0.051)
    else:
        assert said["momentum"] == f"近3小时约{late}帖，前3小时无帖"
    if any(last):
        assert _number(said["steadiness"], "波动系数") == pytest.approx(np.std(last) / np.mean(last), abs=0.051)
        assert _number(said["steadiness"], "其中") == last.count(0)
    else:
        assert said["steadiness"] == "近6小时中6小时无帖"
    if any(counts):
        assert _number(said["peak"], "距峰值") == counts[::-1].index(max(counts))
        assert _number(said["peak"], "当前为峰值的") == pytest.approx(100 * counts[-1] / max(counts), abs=0.51)
    else:
        assert said["peak"] == "至今无帖"
    assert said["level"] == f"近6小时约{sum(last)}帖，累计约{sum(counts)}帖"
    assert said["age"] == f"话题已观测{len(counts)}小时"


@pytest.mark.parametrize(
    ("counts", "momentum", "steadiness"),
    [
        ([13], "近1小时约13帖，此前没有观测", "近1小时中0小时无帖"),
        ([4, 0, 9], "近3小时约13帖，此前没有观测", "近3小时中1小时无帖"),
        ([5, 1, 0, 9], "近3小时发帖量是此前1小时的2.0倍", "近4小时中1小时无帖"),
        ([0, 0, 1, 0, 9], "近3小时约10帖，此前2小时无帖", "近5小时中3小时无帖"),
    ],
)
def test_what_lies_before_the_first_bin_is_not_called_quiet(counts: list[int], momentum: str, steadiness: str) -> None:
    said = _said(counts)
    assert (said["momentum"], said["steadiness"]) == (momentum, steadiness)


@pytest.mark.parametrize(
    ("counts", "minutes", "momentum", "level"),
    [
        ([5, 5, 5, 100, 100, None], 60, "近3小时发帖量是前3小时的20.0倍", "近6小时约315帖，累计约315帖"),
        ([None, None, None, 5, 5, 50], 60, "近3小时约60帖，前3小时未知", "近6小时约75帖，累计约75帖"),
        ([0, None, None, 0, 9, 9], 60, "近3小时约18帖，前3小时未知", "近6小时约18帖，累计约18帖"),
        ([9, None, 9, None, None, 9], 60, "近3小时未知", "近6小时约54帖，累计约54帖"),
        ([*[0] * 6, 10, None, 10, None, 10, None], 60, "近3小时未知", "近6小时约60帖，累计约60帖"),
        ([10] * 5, 15, "近2小时约50帖，此前没有观测", "近6小时约50帖，累计约50帖"),
        ([3] * 26, 7, "近3小时发帖量是此前1小时的90.0倍", "近6小时约78帖，累计约78帖"),  # of which two minutes
    ],
)
def test_unknown_hours_are_neither_quiet_nor_made_up(
    counts: list[float | None], minutes: int, momentum: str, level: str
) -> None:
    said = _said(counts, minutes=minutes)
    assert (said["momentum"], said["level"]) == (momentum, level)


@given(st.lists(st.none() | st.integers(0, 50), min_size=1, max_size=20))
def test_the_unknown_is_said_in_whole_words(counts: list[int | None]) -> None:
    for words in _said(counts).values():
        assert not re.search("约未知|第未知|未知帖|未知倍", words), words


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        ([*[None] * 94, *[20] * 6], "近6小时约120帖，累计帖数未知"),
        ([*[20] * 94, *[None] * 6], "近6小时帖数未知，累计约2000帖"),
        ([1] * 167, "近6小时约6帖，累计约167帖"),
        ([1] * 168, "近6小时约6帖，近168小时约168帖"),  # before them there may have been others
    ],
)
def test_a_total_is_that_of_what_is_known(counts: list[int | None], level: str) -> None:
    assert _said(counts)["level"] == level


def test_an_unknown_hour_is_not_without_posts() -> None:
    assert _said([0, 0, None, 0, 0, 0])["steadiness"] == "近6小时中5小时无帖"


@pytest.mark.parametrize(
    ("time", "hour"), [("2026-03-01T15:00", 15), ("2026-03-01T14:30", 14), ("2026-03-01T00:10", 0)]
)
def test_now_is_the_time_of_the_volume_in_shanghai(time: str, hour: int) -> None:
    assert _number(_said([1, 2, 3], datetime.fromisoformat(f"{time}+08:00"))["clock"], "当前") == hour

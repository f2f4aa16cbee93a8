"""Laws of the risk policy: monotone in both axes, complete, roles grow with the level, bad tables refused."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from altered import edited
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError, InputError
from data.signals_table import WATCH_WORD, signal_names
from data.taxonomy import load_taxonomy
from models.policy import DEFAULT_PATH, Policy

POLICY = Policy.load()
TAXONOMY = load_taxonomy()
CRISES = TAXONOMY.ids[1:]

ranks = st.integers(0, 4)
lifts = st.one_of(st.none(), st.floats(0, 50))
signals = st.lists(st.sampled_from([*POLICY.signals, "watch:某某"]), max_size=4)
calm = st.lists(st.sampled_from([key for key, rule in POLICY.signals.items() if rule.raise_to is None]), max_size=4)


def _level(rank: int | None, lift: float | None) -> int:
    return POLICY.assess(None, rank, lift, [], TAXONOMY).rank


@given(ranks, ranks, lifts)
def test_more_harm_never_lowers_the_level(one: int, other: int, lift: float | None) -> None:
    assert _level(min(one, other), lift) <= _level(max(one, other), lift)


@given(st.one_of(st.none(), ranks), st.floats(0, 50), st.floats(0, 50))
def test_more_lift_never_lowers_the_level_and_no_volume_is_the_least(
    rank: int | None, one: float, other: float
) -> None:
    assert _level(rank, None) <= _level(rank, min(one, other)) <= _level(rank, max(one, other))


@given(st.one_of(st.none(), st.sampled_from(TAXONOMY.ids)), st.one_of(st.none(), ranks), lifts, signals)
def test_every_answer_is_complete(category: str | None, rank: int | None, lift: float | None, found: list[str]) -> None:
    risk = POLICY.assess(category, rank, lift, found, TAXONOMY)
    assert risk.level == ("green", "blue", "yellow", "orange", "red")[risk.rank]
    assert set(risk.notify) <= set(POLICY.roles)
    assert len(risk.notify) == len(set(risk.notify))
    assert (risk.respond_within_minutes is None) == (risk.rank == 0)
    assert risk.first_steps
    assert risk.reasons


@given(st.sampled_from(CRISES), ranks, lifts, calm)
def test_category_and_signals_add_people_but_leave_the_level(
    category: str, rank: int, lift: float | None, found: list[str]
) -> None:
    plain = POLICY.assess(None, rank, lift, [], TAXONOMY)
    full = POLICY.assess(category, rank, lift, found, TAXONOMY)
    assert full.rank == plain.rank
    assert set(full.notify) >= set(plain.notify)


def test_a_higher_level_tells_everyone_below_it_and_is_faster() -> None:
    for lower, higher in pairwise(POLICY.levels):
        assert set(lower.notify) <= set(higher.notify)
    minutes = [level.respond_within_minutes for level in POLICY.levels]
    assert minutes[0] is None
    assert minutes[1:] == sorted(minutes[1:], reverse=True)


def test_green_tells_nobody_whatever_the_words() -> None:
    risk = POLICY.assess("none", 0, None, ["regulator_involved", "media_involved"], TAXONOMY)
    assert (risk.rank, risk.notify) == (0, ())
    assert any("监管介入" in reason for reason in risk.reasons)


def test_every_crisis_category_adds_someone_and_no_unknown_category_is_listed() -> None:
    assert set(POLICY.categories) == set(CRISES)
    assert all(POLICY.categories.values())


def test_golden_example() -> None:
    risk = POLICY.assess("counterfeit_ip", 2, 5.2, ["legal_action"], TAXONOMY)
    assert (risk.rank, risk.level, risk.name, risk.respond_within_minutes) == (3, "orange", "橙色", 60)
    assert risk.notify == ("客服", "公关", "法务", "信息收集组", "管理层", "质控/安全")
    assert risk.reasons == (
        "严重程度为较大（Ⅲ级）",
        "类别为假冒侵权",
        "升级可能性为基准的5.2倍",
        "文中出现信号：诉讼维权",
    )


def test_a_topic_past_its_line_is_no_calm_one() -> None:
    """Its lift is that of a crossing still to come: 0.2 would be green."""
    calm, past = (POLICY.assess(None, None, 0.2, [], TAXONOMY, crossed=crossed) for crossed in (False, True))
    column = [band.id for band in POLICY.bands].index(POLICY.crossed or "")
    assert (calm.rank, past.rank) == (0, POLICY.matrix["unknown"][column])
    assert past.reasons == (*calm.reasons, "话题本轮已过警戒线，声量按“基准的3–8倍”计")
    high = POLICY.assess(None, None, 9.0, [], TAXONOMY, crossed=True)
    assert high == POLICY.assess(None, None, 9.0, [], TAXONOMY)
    without = replace(POLICY, crossed=None)
    assert without.assess(None, None, 0.2, [], TAXONOMY, crossed=True) == calm


def test_volume_alone_uses_the_unknown_row() -> None:
    risk = POLICY.assess(None, None, 9.0, [], TAXONOMY)
    assert risk.rank == POLICY.matrix["unknown"][-1]
    assert risk.reasons == ("没有文本，严重程度未知", "升级可能性为基准的9.0倍")


@pytest.mark.parametrize(
    ("lift", "band"),
    [
        (None, "none"),
        (0.0, "below_base"),
        (0.99, "below_base"),
        (1.0, "raised"),
        (3.0, "high"),
        (8.0, "extreme"),
        (1e9, "extreme"),
    ],
)
def test_bands_are_half_open(lift: float | None, band: str) -> None:
    assert POLICY.bands[POLICY.band(lift)].id == band


@pytest.mark.parametrize(
    ("lift", "said"), [(0.94, "0.9"), (0.96, "0.96"), (2.96, "2.96"), (3.04, "3.0"), (7.99, "7.99"), (8.04, "8.0")]
)
def test_the_reason_says_no_lift_of_another_band(lift: float, said: str) -> None:
    assert f"升级可能性为基准的{said}倍" in POLICY.assess(None, None, lift, [], TAXONOMY).reasons


def test_raise_to_is_a_floor_that_explains_itself() -> None:
    rule = replace(POLICY.signals["injury_reported"], raise_to=3)
    policy = replace(POLICY, signals={**POLICY.signals, "injury_reported": rule})
    low = policy.assess("product_quality", 1, None, ["injury_reported"], TAXONOMY)
    high = policy.assess("product_quality", 4, None, ["injury_reported"], TAXONOMY)
    assert (low.rank, high.rank) == (3, 4)
    assert low.reasons[-1] == "信号“人身伤害”使等级至少为橙色"
    assert not any("至少" in reason for reason in high.reasons)


@pytest.mark.parametrize("rank", [*range(5), None])
def test_a_signal_contradicts_ranks_below_its_own_and_the_reasons_say_so(rank: int | None) -> None:
    rules = {name: replace(POLICY.signals[name], review_below=below) for name, below in (("legal_action", 2),)}
    policy = replace(POLICY, signals={**POLICY.signals, **rules})
    expected = rank is not None and rank < 2
    assert policy.contradicted(rank, ["media_involved", "legal_action", "watch:某某"]) == expected
    risk = policy.assess(None, rank, None, ["media_involved", "legal_action"], TAXONOMY)
    assert ("信号“诉讼维权”与判定的严重程度不符，需人工复核" in risk.reasons) == expected
    plain = replace(policy, signals={})
    assert not plain.contradicted(rank, ["legal_action"])


def test_a_table_without_review_below_marks_nothing(tmp_path: Path) -> None:
    """As `raise_to`: a table that was written before it was known does what it did."""
    old = tmp_path / "policy.toml"
    old.write_text(re.sub("review_below = .*\n", "", DEFAULT_PATH.read_text(encoding="utf-8")), encoding="utf-8")
    policy = Policy.load(old)
    assert not any(policy.contradicted(rank, [*policy.signals]) for rank in range(5))
    assert any(POLICY.contradicted(rank, [*POLICY.signals]) for rank in range(5))


def test_the_highest_floor_of_several_signals_holds_and_the_level_itself_needs_no_reason() -> None:
    rules = {
        name: replace(POLICY.signals[name], raise_to=to) for name, to in (("legal_action", 2), ("media_involved", 3))
    }
    policy = replace(POLICY, signals={**POLICY.signals, **rules})
    for found in (["legal_action", "media_involved"], ["media_involved", "legal_action"]):
        assert policy.assess("other", 1, None, found, TAXONOMY).rank == 3
    reached = policy.assess("other", 3, None, ["media_involved"], TAXONOMY)
    assert reached.rank == 3
    assert not any("至少" in reason for reason in reached.reasons)


def test_category_and_signals_are_told_from_the_named_level_on() -> None:
    for level, told in ((1, ()), (2, ("法务",)), (3, ("法务",))):
        policy = replace(POLICY, notify_from=2, categories={"other": ("法务",)})
        policy = replace(policy, levels=tuple(replace(one, notify=()) for one in POLICY.levels))
        rank = next(r for r in range(5) if POLICY.matrix[str(r)][0] == level)
        assert policy.assess("other", rank, None, [], TAXONOMY).notify == told


def test_two_levels_may_have_the_same_time_to_respond(tmp_path: Path) -> None:
    minutes = [level.respond_within_minutes for level in POLICY.levels]
    equal = edited(
        DEFAULT_PATH, tmp_path, f"respond_within_minutes = {minutes[4]}", f"respond_within_minutes = {minutes[3]}"
    )
    assert Policy.load(equal).levels[4].respond_within_minutes == minutes[3]


@pytest.mark.parametrize("rank", range(5))
def test_a_threat_to_a_life_is_orange_at_least_and_told_to_the_top(rank: int) -> None:
    plain, risk = (POLICY.assess("other", rank, None, found, TAXONOMY) for found in ([], ["life_threat"]))
    assert risk.rank == max(3, plain.rank)
    assert {"管理层", "质控/安全"} <= {*risk.notify}
    assert POLICY.contradicted(rank, ["life_threat"]) == (rank < 3)


def test_every_signal_of_the_lexicon_has_its_name_and_watch_words_too() -> None:
    names = signal_names()
    assert [POLICY.signals[signal].name for signal in names] == [*names.values()]
    risk = POLICY.assess("other", 2, None, [WATCH_WORD], TAXONOMY)
    assert risk.reasons[-1] == "文中出现信号：关键词监测"
    assert risk.notify == POLICY.assess("other", 2, None, [], TAXONOMY).notify


def test_watch_words_tell_whom_the_table_names(tmp_path: Path) -> None:
    rule = '[signals.watch_word]\nname = "品牌词"\nnotify = ["专家咨询组"]\n\n[signals.regulator_involved]'
    policy = Policy.load(edited(DEFAULT_PATH, tmp_path, "[signals.regulator_involved]", rule))
    risk = policy.assess("other", 2, None, [WATCH_WORD], TAXONOMY)
    assert (risk.reasons[-1], risk.notify[-1]) == ("文中出现信号：品牌词", "专家咨询组")


def test_repeated_signals_are_named_once() -> None:
    once = POLICY.assess("other", 2, None, ["legal_action"], TAXONOMY)
    assert POLICY.assess("other", 2, None, ["legal_action"] * 3, TAXONOMY) == once


@pytest.mark.parametrize("lift", [-0.1, float("nan")])
def test_impossible_lifts_are_refused(lift: float) -> None:
    with pytest.raises(InputError, match="lift"):
        POLICY.assess("other", 1, lift, [], TAXONOMY)


@pytest.mark.parametrize("rank", [-1, 5])
def test_impossible_ranks_are_refused(rank: int) -> None:
    with pytest.raises(InputError, match=f"severity rank {rank}"):
        POLICY.assess("other", rank, None, [], TAXONOMY)


def test_unknown_category_is_refused() -> None:
    with pytest.raises(ConfigError, match="weather"):
        POLICY.assess("weather", 1, None, [], TAXONOMY)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[2,    2,   2,    3,    3]", "[2,    1,   2,    3,    3]", "severity 2 × below_base: 1"),
        ("[3,    3,   3,    4,    4]", "[3,    3,   3,    3,    2]", "severity 3 × extreme: 2"),
        ("[1,    1,   1,    2,    3]", "[3,    3,   3,    3,    3]", "severity 2 × none: 2"),
        ("[4,    4,   4,    4,    4]", "[4,    4,   4,    4,    5]", "severity 4 × extreme: 5"),
        ("[0,    0,   1,    2,    3]", "[0,    0,   1,    2]", "matrix row unknown: 4 cells"),
        ("[0,    0,   1,    2,    3]", "[0,    0,   1,    2,    3,    3]", "matrix row unknown: 6 cells"),
        ("unknown = [", "unheard = [", "rows must be unknown, 0"),
        ('other = ["信息收集组"]', 'other = ["保安"]', "categories.other: unknown role '保安'"),
        (
            'name = "诉讼维权"\nnotify = ["法务"]',
            'name = "诉讼维权"\nnotify = ["律师"]',
            "legal_action.*律师",
        ),
        ("respond_within_minutes = 30", "respond_within_minutes = 90", r"levels\[4\].*90"),
        ("below = 3.0", "below = 0.5", "bands"),
        ("below = 3.0", "below = 1.0", "bands"),
        ('[[bands]]\nid = "none"\nname = "无声量数据"\n', "", r"bands\[0\]\.below: 1: the first band is for no volume"),
        ('id = "raised"', 'id = "high"', "bands: id 'high' comes twice"),
        ("respond_within_minutes = 240\n", "", r"levels\[2\].*: missing: must be at most 1440"),
        ("rank = 2\n", "rank = 3\n", "levels: ranks"),
        ('level = "orange"', 'level = "red"', "levels: level 'red' comes twice"),
        ('name = "橙色"', 'name = "红色"', "levels: name '红色' comes twice"),
        ("first_steps = [", 'first_steps = ["", ', r"levels\[0\]\.first_steps\[0\]"),
        ("first_steps = [", 'first_steps = ["　", ', r"levels\[0\]\.first_steps\[0\]"),
        ("notify_from = 1", "notify_form = 1", "notify_form"),
        ('crossed = "high"', 'crossed = "hgh"', r"crossed\.hgh: there is no such id.*extreme"),
        ("review_below = 2", "review_below = 0", "regulator_involved.review_below: .*greater than or equal to 1"),
        ("review_below = 2", "review_below = 5", "regulator_involved.review_below: .*less than or equal to 4"),
        ("[matrix]", "[matrix", "readable"),
        ("privacy_data = [", "privacy_dta = [", r"policy\.toml: categories\.privacy_dta: there is no such id"),
        ("[signals.legal_action]", "[signals.legal_acton]", r"policy\.toml: signals\.legal_acton: .*legal_action"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Policy.load(edited(DEFAULT_PATH, tmp_path, old, new))

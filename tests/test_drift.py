"""Drift: chance raises no alarm, a changed stream does; laws of PSI."""

from __future__ import annotations

import numpy as np
import pytest
from observed import REFERENCE, stream

from data.errors import CorpusError
from data.results import CategoryResult, Result
from data.words import known_share
from models.bundle import Bundle
from models.engine_build import load_tokens
from serving.drift.calibration import calibration
from serving.drift.compare import NAMES, compare, psi, worst
from serving.drift.observation import observe
from serving.drift.reference import MIN_POSTS, make_reference
from serving.drift.replay import replay, replay_table


@pytest.mark.parametrize("size", [MIN_POSTS, 1_000, 2_000])
def test_chance_raises_no_alarm_and_no_warning(size: int) -> None:
    states = {one.state for seed in range(1, 101) for one in compare(REFERENCE, stream(seed, size))}
    assert states == {"ok"}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"category": "other"}, "category"),
        ({"length": 900}, "length"),
        ({"confidence": 0.3}, "confidence"),
        ({"confidence": 0.3}, "mean_confidence"),
        ({"unknown_tokens": 0.2}, "mean_unknown_tokens"),
        ({"unknown_words": 0.5}, "mean_unknown_words"),
        ({"needs_review": True}, "mean_needs_review"),
    ],
)
def test_a_changed_half_is_an_alarm_of_its_own_statistic(changes: dict[str, object], name: str) -> None:
    found = {one.name: one for one in compare(REFERENCE, stream(1, 500) + stream(2, 500, **changes))}
    assert found[name].state == "alarm"
    touched = {name, "confidence", "mean_confidence"} if "confidence" in changes else {name}
    assert {one.name for one in found.values() if one.state != "ok"} <= touched


def test_few_posts_say_nothing() -> None:
    assert compare(REFERENCE, stream(1, MIN_POSTS - 1)) == []
    assert worst([]) == "too_few"
    assert worst(["ok", "alarm", "warning"]) == "alarm"
    with pytest.raises(CorpusError, match="at least"):
        make_reference(stream(1, MIN_POSTS - 1), "m")


def test_psi_is_zero_for_one_mix_symmetric_and_grows() -> None:
    assert psi([10, 20, 70], [10, 20, 70]) == pytest.approx(0)
    assert psi([10, 20, 70], [30, 30, 40]) == pytest.approx(psi([30, 30, 40], [10, 20, 70]))
    assert psi([500, 500], [400, 600]) < psi([500, 500], [200, 800])
    assert psi([99.5, 299.5], [199.5, 199.5]) == pytest.approx(0.25 * np.log(3), abs=1e-6)  # by hand
    assert np.isfinite(psi([0, 100], [100, 0]))


def test_the_order_of_posts_does_not_matter() -> None:
    posts = stream(3, 400)
    assert compare(REFERENCE, posts) == compare(REFERENCE, posts[::-1])


@pytest.mark.parametrize(
    ("pairs", "state"),
    [
        ([(0.5, True)] * 10, "too_few"),
        ([(0.5, True), (0.5, False)] * 100, "ok"),
        ([(0.1, True), (0.1, False)] * 100, "alarm"),
        ([(0.9, False)] * 200, "alarm"),
        ([], "too_few"),
    ],
)
def test_escalation_is_held_against_its_outcomes(pairs: list[tuple[float, bool]], state: str) -> None:
    assert calibration(pairs).state == state


def test_unknown_words_are_those_that_the_dictionary_lacks() -> None:
    assert known_share("客服退款") == 1.0
    assert known_share("！！ 12") == 1.0
    assert known_share("客服 qwzx") == 0.5


def test_a_replay_of_one_stream_raises_no_alarm() -> None:
    alike = replay(stream(5, 3_000), 600, 30, 1)
    assert alike.states() == {"ok": 30}
    assert abs(alike.largest("mean_confidence")) < 0.2
    assert replay_table(alike).row_count == len(NAMES) + 1
    with pytest.raises(CorpusError, match="at least"):
        replay(stream(5, 500), 600, 1, 1)


def test_observations_leave_out_what_has_no_answer(tiny_bundle: Bundle) -> None:
    texts = ["好好好", None, "\u200b", "龘龘龘"]
    category = CategoryResult("none", "无危机", 0.9, ("none",), {})
    results = [Result(id=None, category=category), Result(id=None), Result(id=None), Result(id=None, category=category)]
    known, unknown = observe(texts, results, load_tokens(tiny_bundle))
    assert (known.unknown_tokens, known.length, known.category) == (0.0, 3, "none")
    assert unknown.unknown_tokens > 0


def test_a_confidence_that_is_no_number_is_an_alarm() -> None:
    states = {one.name: one.state for one in compare(REFERENCE, stream(1, 500, confidence=float("nan")))}
    assert {name for name, state in states.items() if state == "alarm"} == {"confidence", "mean_confidence"}


def test_a_reference_of_one_category_and_equal_posts_is_compared_with() -> None:
    alike = {"category": "none", "confidence": 1.0, "length": 5, "unknown_tokens": 0.0, "unknown_words": 0.0}
    one = make_reference(stream(0, MIN_POSTS, needs_review=False, **alike), "yujing-risk:test")
    same = compare(one, stream(1, MIN_POSTS, needs_review=False, **alike))
    assert {(found.value, found.state) for found in same} == {(0.0, "ok")}
    other = compare(one, stream(1, MIN_POSTS, needs_review=False, **{**alike, "category": "other"}))
    assert [found.name for found in other if found.state == "alarm"] == ["category"]

"""What cannot be scored carries its own error, with what helps, and no neighbour of it is harmed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from scored_items import HEAT, ITEMS, VOLUME, codes, same

from data.records import Item
from data.results import ItemError
from data.samples import sample_examples, sample_items
from models.batching import Float, Ids
from models.engine import Engine
from models.escalation import EscalationModel
from models.scorer import Scorer

POISON = "毒"


def test_a_wrong_clock_is_at_most_its_own_items_error(tiny_scorer: Scorer) -> None:
    plain = Item(text=sample_examples()[0].text, volume=VOLUME)
    strange = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)]
    posts = [replace(plain, published_at=time) for time in strange]
    volumes = [
        replace(plain, volume=replace(VOLUME, as_of=time)) for time in (*strange, datetime.max.replace(tzinfo=UTC))
    ]
    first, *others = tiny_scorer.score([plain, *posts, *volumes])
    for result in others[: len(posts)]:
        same(result, first)
    assert [result.error is None for result in others] == [True] * 4 + [False]  # no zone of ours has the year 10000
    assert others[-1].error == ItemError(
        "invalid_input",
        "volume.as_of is 9999-12-31T23:59:59.999999+00:00: give the end of the newest bin, a year from 2 to 9998",
    )
    assert all(result.category is not None for result in others)


@pytest.mark.parametrize("text", ["\u200b\u200d", " \n\t", "\ufeff", "\ud800", "\x00"])
def test_a_text_of_nothing_carries_its_own_error(tiny_scorer: Scorer, text: str) -> None:
    found = tiny_scorer.score([ITEMS[0], Item(id="odd", text=text), *ITEMS[1:4]])
    assert found[1].id == "odd"
    assert found[1].error is not None
    assert found[1].error.code == "empty_text"
    assert found[1].risk is None
    for one, two in zip([found[0], *found[2:]], tiny_scorer.score(ITEMS[:4]), strict=True):
        same(one, two)


@pytest.mark.parametrize("minutes", [60.0, 30.5, np.float64(60)])
@pytest.mark.parametrize("volume", [VOLUME, HEAT])
def test_a_length_of_bins_that_is_no_whole_number_is_told(tiny_scorer: Scorer, volume: Any, minutes: float) -> None:
    """Only Python code can give one: a request's 60.0 is read as 60."""
    odd, fine = (replace(volume, interval_minutes=found) for found in (minutes, np.int64(60)))
    found, neighbour = tiny_scorer.score([Item(volume=odd), Item(volume=fine)])
    assert found.error is not None
    assert "volume.interval_minutes: got" in found.error.message
    assert "give a whole number" in found.error.message
    same(neighbour, tiny_scorer.score([Item(volume=volume)])[0])


def test_a_time_without_a_zone_is_told_with_what_to_give(tiny_scorer: Scorer) -> None:
    """Requests and files cannot hold one; Python code can, and the machine's own zone is nobody's."""
    [found] = tiny_scorer.score([Item(volume=replace(VOLUME, as_of=datetime(2026, 3, 15, 12)))])
    told = "volume.as_of is 2026-03-15T12:00:00, without a time zone: give one, such as +08:00"
    assert found.error == ItemError("invalid_input", told)


@pytest.mark.parametrize("odd", [float("nan"), 5, b"abc", ["a"], {"as_of": "2026-03-15"}])
@pytest.mark.parametrize("name", ["text", "volume"])
def test_what_is_of_another_type_fails_its_own_item_only(tiny_scorer: Scorer, name: str, odd: object) -> None:
    """No reader has checked items that were made in Python; a table's missing text is a nan there."""
    good = sample_items()[:2]
    one, bad, two = tiny_scorer.score([good[0], Item(**{"id": "x", name: odd}), good[1]])
    assert [one, two] == tiny_scorer.score(good)
    kind = type(odd).__name__
    assert bad.error is not None
    assert (bad.id, bad.error.code) == ("x", "invalid_input")
    assert bad.error.message.startswith(f"{name}: got a {kind}: give a ")


@pytest.mark.parametrize("name", ["counts", "authors", "negative", "heat", "rank", "reads"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -5.0, 1e16])
@pytest.mark.parametrize("minutes", [60, 15])
def test_a_value_that_no_request_may_hold_fails_its_own_item(
    tiny_scorer: Scorer, name: str, value: float, minutes: int
) -> None:
    full = replace(VOLUME if name in ("counts", "authors", "negative") else HEAT, interval_minutes=minutes)
    length = len(full.counts or full.heat or ())
    bad = replace(full, **{name: (None, value, *[1.0] * (length - 2))})  # type: ignore[arg-type]
    found = tiny_scorer.score([Item(volume=VOLUME), Item(text="假货", volume=bad), Item(volume=VOLUME)])
    assert codes(found) == [None, "invalid_input", None]
    assert found[1].error is not None
    assert found[1].error.message.startswith(f"volume.{name}[1]: Input should be ")
    assert found[1].category is not None
    assert found[0] == found[2] == tiny_scorer.score([Item(volume=VOLUME)])[0]


@pytest.mark.parametrize("bad", [{"interval_minutes": 0}, {"alarm_threshold": float("nan")}, {"rank": (0.0,) * 6}])
def test_a_setting_of_a_volume_that_no_request_may_hold_fails_its_item(
    tiny_scorer: Scorer, bad: dict[str, Any]
) -> None:
    [found] = tiny_scorer.score([Item(volume=replace(VOLUME, **bad))])
    assert found.error is not None
    assert (found.error.code, found.error.message.startswith(f"volume.{next(iter(bad))}: ")) == ("invalid_input", True)


def test_the_bounds_themselves_are_sound(tiny_scorer: Scorer) -> None:
    assert codes(tiny_scorer.score([Item(volume=replace(VOLUME, counts=(0.0, 1e15, 1e15, None, 0, 7)))])) == [None]


def test_an_empty_text_leaves_its_volume_answered(tiny_scorer: Scorer) -> None:
    (result,) = tiny_scorer.score([Item(text="\u200b", volume=VOLUME)])
    assert result.error is not None
    assert result.error.code == "empty_text"
    assert result.escalation is not None
    assert result.risk is not None
    assert result.risk.reasons[0] == "文本无法评分，严重程度未知"
    assert result.needs_review


@dataclass(frozen=True)
class Fragile:
    """A real engine that breaks on one token."""

    engine: Engine
    poison: int

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        if any(self.poison in row for row in rows):
            raise RuntimeError("the post that must not be told")
        return self.engine.logits(rows)


@pytest.fixture
def fragile(tiny_scorer: Scorer) -> Scorer:
    assert tiny_scorer.text is not None
    poison = tiny_scorer.text.tokens.tokenizer.token_to_id(POISON)
    assert poison is not None
    return replace(tiny_scorer, text=replace(tiny_scorer.text, engine=Fragile(tiny_scorer.text.engine, poison)))


def test_an_engine_that_breaks_on_one_text_fails_that_one_only(fragile: Scorer, tiny_scorer: Scorer) -> None:
    items = [Item(id=str(i), text=text) for i, text in enumerate(["假货要投诉", f"{POISON}得很", "退款秒到账"])]
    found = fragile.score(items)
    assert found[1].error is not None
    assert found[1].error.code == "scoring_failed"
    assert "RuntimeError" in found[1].error.message
    assert "told" not in found[1].error.message
    for i in (0, 2):
        same(found[i], tiny_scorer.score([items[i]])[0])


@dataclass(frozen=True)
class Overflowing(Fragile):
    """A real engine that gives no numbers for one token."""

    head: int = 0

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        found = self.engine.logits(rows)
        found[self.head][[self.poison in row for row in rows]] = np.nan
        return found


@pytest.mark.parametrize("head", [0, 1], ids=["category", "severity"])
def test_logits_that_are_no_numbers_are_no_answer(fragile: Scorer, tiny_scorer: Scorer, head: int) -> None:
    assert fragile.text is not None
    assert isinstance(fragile.text.engine, Fragile)
    broken = Overflowing(fragile.text.engine.engine, fragile.text.engine.poison, head)
    items = [Item(text="假货要投诉"), Item(text=f"{POISON}得很", volume=VOLUME), Item(text="退款秒到账")]
    first, second, third = replace(fragile, text=replace(fragile.text, engine=broken)).score(items)
    assert second.error is not None
    assert second.error.code == "scoring_failed"
    assert (second.category, second.severity, second.needs_review) == (None, None, True)
    for found, item in ((first, items[0]), (third, items[2])):
        same(found, tiny_scorer.score([item])[0])


@pytest.mark.parametrize(
    "spoilt", [{"lexical_weight": 1e308}, {"category_temperature": 1e-320}], ids=["weight", "temperature"]
)
def test_probabilities_that_are_no_numbers_are_no_answer(tiny_scorer: Scorer, spoilt: dict[str, float]) -> None:
    assert tiny_scorer.text is not None
    text = replace(tiny_scorer.text, calibration=replace(tiny_scorer.text.calibration, **spoilt))
    with np.errstate(all="ignore"):  # no error of the tests' own: a service only warns
        [found] = replace(tiny_scorer, text=text).score([Item(text="假货要投诉")])
    assert (codes([found]), found.category, found.severity) == (["scoring_failed"], None, None)
    assert found.error is not None
    assert "FloatingPointError" in found.error.message


def test_a_likelihood_that_is_no_number_fails_its_own_volume_only(tiny_scorer: Scorer) -> None:
    class Spoilt(EscalationModel):
        """A head that gives no number for topics of 168 hours."""

        def answered(self, features: np.ndarray, likeness: np.ndarray) -> np.ndarray:
            old = features[:, self.names.index("age")] > np.log(160)
            return np.where(old, np.nan, super().answered(features, likeness))

    head = tiny_scorer.escalation["counts"]
    spoilt = Spoilt(**{field.name: getattr(head, field.name) for field in fields(head)})
    items = [Item(volume=VOLUME), Item(text="假货", volume=replace(VOLUME, counts=(9.0,) * 168)), Item(text="假货")]
    first, second, third = replace(tiny_scorer, escalation={"counts": spoilt}).score(items)
    assert codes([first, second, third]) == [None, "scoring_failed", None]
    assert first == tiny_scorer.score(items[:1])[0]
    assert second.escalation is None
    assert second.category == third.category


def test_an_engine_that_breaks_while_explaining_fails_that_one_only(tiny_scorer: Scorer) -> None:
    @dataclass
    class Tired:
        """A real engine that breaks after the first call."""

        engine: Engine
        calls: int = 0

        def logits(self, rows: Ids) -> tuple[Float, Float]:
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError
            return self.engine.logits(rows)

    assert tiny_scorer.text is not None
    tired = replace(tiny_scorer, text=replace(tiny_scorer.text, engine=Tired(tiny_scorer.text.engine)))
    first, second = tired.score([Item(id="a", text="假货要投诉商家", explain=True), Item(id="b", text="退款秒到账")])
    assert first.error is not None
    assert first.error.code == "scoring_failed"
    assert second.error is None
    assert second.category is not None


def test_what_the_bundle_lacks_is_said_per_item(tiny_scorer: Scorer) -> None:
    items = [Item(text="假货"), Item(volume=VOLUME), Item(volume=HEAT)]
    assert codes(tiny_scorer.score(items)) == [None, None, "no_escalation_head"]
    assert codes(replace(tiny_scorer, text=None).score(items)) == ["no_text_model", None, "no_escalation_head"]
    assert codes(replace(tiny_scorer, escalation={}).score(items))[:2] == [None, "no_escalation_head"]


def test_what_the_bundle_lacks_is_told_with_what_helps(tiny_scorer: Scorer) -> None:
    counts = tiny_scorer.escalation["counts"]
    for heads, volume, told in (
        ({}, VOLUME, "no head 'counts': train that head"),
        ({"hotlist": counts}, VOLUME, "no head 'counts': send heat with alarm_threshold, or train that head"),
        ({"counts": counts}, HEAT, "no head 'hotlist': send counts, or train that head"),
    ):
        (result,) = replace(tiny_scorer, escalation=heads).score([Item(volume=volume)])
        assert result.error == ItemError("no_escalation_head", f"this bundle has {told}")


def test_a_volume_that_could_not_be_scored_is_not_called_absent(tiny_scorer: Scorer) -> None:
    items = [Item(text="假货"), Item(text="假货", volume=VOLUME)]
    found = [result.risk.reasons for result in replace(tiny_scorer, escalation={}).score(items) if result.risk]
    assert [reasons[2] for reasons in found] == ["没有声量数据，升级可能性未知", "声量无法评分，升级可能性未知"]

"""Laws of the splits: no group in two parts, fractions roughly met, the same seed gives the same split."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import CorpusError
from data.records import Example
from data.splits import Split, bind, grouped_split, leave_source_out, split_by_ids, split_by_time

START = datetime(2024, 1, 1, tzinfo=UTC)
FRACTIONS = (0.7, 0.15, 0.15)
CATEGORIES = ("none", "other", "pricing_promotion")


def _examples(size: int = 300, events: int = 0) -> list[Example]:
    return [
        Example(
            id=str(i),
            text=f"帖子{i}",
            category=CATEGORIES[0 if i % 2 else 1 + i % 4 // 2],
            source=("weibo", "bbs", "news")[i % 3],
            event=f"e{i % events}" if events and i % 5 == 0 else None,
            published_at=START + timedelta(hours=i),
        )
        for i in range(size)
    ]


def _parts(split: Split) -> list[tuple[int, ...]]:
    return [split.train, split.validation, split.test]


def _share_no_group(split: Split, groups: list[int]) -> bool:
    held = [{groups[row] for row in part} for part in _parts(split)]
    return not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])


@settings(max_examples=25)
@given(st.permutations([i % 100 for i in range(300)]), st.integers(0, 5), st.sampled_from([0, 7]))
def test_no_group_and_no_event_is_in_two_parts_and_no_row_is_lost(groups: list[int], seed: int, events: int) -> None:
    examples = _examples(events=events)
    split = grouped_split(examples, groups, FRACTIONS, seed)
    assert _share_no_group(split, groups)
    assert _share_no_group(split, bind(examples, groups))
    assert sorted(row for part in _parts(split) for row in part) == list(range(300))
    assert all(list(part) == sorted(part) for part in _parts(split))
    owner = {examples[row].event: part for part in _parts(split) for row in part if examples[row].event}
    assert all(row in owner[e.event] for row, e in enumerate(examples) if e.event)


@given(st.integers(0, 50))
def test_fractions_are_met_by_category(seed: int) -> None:
    examples = _examples()
    split = grouped_split(examples, [i // 2 for i in range(300)], FRACTIONS, seed)
    whole = Counter(example.category for example in examples)
    for part, fraction in zip(_parts(split), FRACTIONS, strict=True):
        assert abs(len(part) - 300 * fraction) <= 4
        held = Counter(examples[row].category for row in part)
        assert all(abs(held[name] - count * fraction) <= 4 for name, count in whole.items())


def test_a_seed_is_a_split() -> None:
    examples, groups = _examples(), [i // 3 for i in range(300)]
    assert grouped_split(examples, groups, FRACTIONS, 1) == grouped_split(examples, groups, FRACTIONS, 1)
    assert grouped_split(examples, groups, FRACTIONS, 1) != grouped_split(examples, groups, FRACTIONS, 2)


@pytest.mark.parametrize("fractions", [(0.8, 0.2, 0.0), (0.5, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_impossible_fractions_are_refused(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(CorpusError, match="fractions"):
        grouped_split(_examples(), list(range(300)), fractions, 0)


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(CorpusError, match="part is empty"):
        grouped_split(_examples(20), [0] * 20, FRACTIONS, 0)


def test_groups_must_be_given_for_every_row() -> None:
    with pytest.raises(CorpusError, match="20 examples but 19 groups"):
        grouped_split(_examples(20), [0] * 19, FRACTIONS, 0)


def test_group_and_event_bind_through_chains() -> None:
    events = ["x", None, "x", None, "y"]
    examples = [Example(id=str(i), text="帖", event=event) for i, event in enumerate(events)]
    assert bind(examples, [0, 0, 1, 1, 2]) == [0, 0, 0, 0, 1]
    assert bind(examples, [5, 6, 7, 8, 9]) == [0, 1, 0, 2, 3]


def test_leave_source_out_tests_on_all_of_a_source_and_leaves_its_kin_out() -> None:
    examples, groups = _examples(), list(range(300))
    groups[0] = groups[1]  # a bbs row is repeated on weibo
    split = leave_source_out(examples, "bbs", groups, seed=0)
    assert split.test == tuple(i for i in range(300) if examples[i].source == "bbs")
    assert 0 not in {*split.train, *split.validation}
    assert len(split.train) + len(split.validation) == 199
    assert abs(len(split.validation) - 19.9) < 3
    assert _share_no_group(split, groups)


def test_kin_that_leave_nothing_to_learn_from_are_told() -> None:
    with pytest.raises(CorpusError, match="the train part is empty"):
        leave_source_out(_examples(4), "weibo", [0, 0, 0, 0], seed=0)
    with pytest.raises(CorpusError, match="the validation part is empty"):
        split_by_time(_examples(4), START + timedelta(hours=2), [0, 0, 1, 1], seed=0)


def test_an_unknown_source_is_told_with_the_known_ones() -> None:
    with pytest.raises(CorpusError, match="'tieba': use one of bbs, news, weibo"):
        leave_source_out(_examples(), "tieba", list(range(300)), seed=0)


def test_split_by_time_never_trains_on_the_future() -> None:
    examples, groups = _examples(), list(range(300))
    groups[299] = groups[3]
    before = START + timedelta(hours=200)
    split = split_by_time(examples, before, groups, seed=0, validation=0.2)
    assert split.test == tuple(range(200, 300))
    assert 3 not in {*split.train, *split.validation}
    assert {*split.train, *split.validation} == set(range(200)) - {3}
    assert abs(len(split.validation) - 40) < 4


@pytest.mark.parametrize(
    ("before", "at", "told"),
    [
        (datetime(2024, 1, 5), START, "with zone"),
        (START, None, "1 rows have no published_at"),
        (START, datetime(2024, 1, 5), "1 rows have no published_at"),
    ],
)
def test_times_without_zone_are_refused(before: datetime, at: datetime | None, told: str) -> None:
    examples = [*_examples(20), Example(id="x", text="帖", published_at=at)]
    with pytest.raises(CorpusError, match=told):
        split_by_time(examples, before, list(range(21)), seed=0)


@pytest.mark.parametrize("validation", [0, 1, -0.5])
def test_impossible_validation_shares_are_refused(validation: float) -> None:
    with pytest.raises(CorpusError, match="validation"):
        leave_source_out(_examples(), "bbs", list(range(300)), 0, validation)


def test_check_names_the_group_that_leaks_and_the_empty_part() -> None:
    with pytest.raises(CorpusError, match="group 7 is in train and test"):
        Split((0,), (1,), (2,)).check([7, 8, 7])
    with pytest.raises(CorpusError, match="validation part is empty"):
        Split((0,), (), (2,)).check([7, 8, 9])


def test_a_split_by_ids_leaves_out_what_is_tied_to_what_was_held_out() -> None:
    """A version that finds more near-duplicates must not teach one of them."""
    rows = [Example(id=str(number), text="text") for number in range(6)]
    split = split_by_ids(rows, [0, 1, 2, 3, 1, 2], {"validation": ["1"], "test": ["2"]})
    assert split == Split((0, 3), (1,), (2,))
    with pytest.raises(CorpusError, match=r"1 posts that were held out are not there \(9, …\)"):
        split_by_ids(rows, range(6), {"validation": ["1"], "test": ["9"]})

"""Who is let in: as much work as is done within the callers' patience."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

import pytest

from serving.gate.admission import FIRST_PACE, LEAST, TURN, Admission, Place
from serving.gate.refusal import RefusedError

SIZE = 1_000  # bytes of a request


class Clock:
    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


def answered(room: Admission, clock: Clock, seconds: float) -> None:
    """Requests one after another for at least ten seconds of work, each answered after so many."""
    for _ in range(max(3, round(10 / seconds))):
        with room.one(SIZE) as place:
            clock.now += seconds
            place.scored()
        clock.now += 100  # nobody asks: no work, so nothing to learn from


@contextmanager
def under_way(room: Admission, number: int, size: int = SIZE) -> Iterator[list[Place]]:
    with ExitStack() as stack:
        yield [stack.enter_context(room.one(size)) for _ in range(number)]


def refusal(place: AbstractContextManager[None]) -> RefusedError:
    with pytest.raises(RefusedError) as caught, place:
        pass
    return caught.value


@pytest.mark.parametrize(("seconds", "fit"), [(0.01, 50), (0.1, 5)])
def test_the_work_of_the_patience_fits_in_and_no_more(seconds: float, fit: int) -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, seconds)
    with under_way(room, fit - 1):
        assert room.wait == pytest.approx(seconds * (fit - 1), rel=0.02)
        room.check()
        with pytest.raises(RefusedError, match="one more would wait for"), under_way(room, 3):
            pass
    assert room.wait == 0


def test_bytes_count_and_not_requests() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, 0.01)
    with under_way(room, 8, 7 * SIZE):
        assert refusal(room.one(1)).status == 503
    with under_way(room, 40):
        room.check()


def test_small_requests_wait_for_a_turn_of_a_large_one_and_large_ones_for_all_of_it() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, 0.01)
    with under_way(room, 10), room.one(256 * SIZE):
        room.check(SIZE)
        refused = refusal(room.one(TURN + 1))
        assert refused.response.headers["retry-after"] == "3"  # 2.66 s of work, for 0.5 of patience


def test_the_time_beside_a_large_request_is_shared_with_it() -> None:
    """All of it was the small ones': they looked so slow that others were refused for minutes."""
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, 0.1)
    with room.one(160 * SIZE) as large:
        for _ in range(18):  # nine tenths of the time are the large one's
            with room.one(SIZE) as place:
                clock.now += 0.9
                place.scored()
        large.scored()
    with under_way(room, 4):
        assert room.wait == pytest.approx(0.4, rel=0.1)


def test_some_are_let_in_whatever_they_take() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, 30)
    with under_way(room, LEAST, 100 * SIZE):
        assert refusal(room.one(TURN + 1)).response.headers["retry-after"] == str(30 * 100 * LEAST)


def test_a_pace_is_forgotten_within_seconds_of_work() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, 1.0)
    answered(room, clock, 0.01)
    with under_way(room, 40):
        room.check()


def test_answers_that_come_together_count_for_the_time_that_they_took_together() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    for _ in range(200):
        with under_way(room, 10, SIZE // 10) as places:
            clock.now += 0.1
            for place in places:
                place.scored()
    with under_way(room, 10, SIZE // 10):
        assert room.wait == pytest.approx(0.1, rel=0.02)


def test_reposts_do_not_make_new_posts_look_quick() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    answered(room, clock, 0.1)
    for _ in range(300):
        with room.one(SIZE) as place:
            clock.now += 0.01
            place.scored(0.0)
        with room.one(10 * SIZE) as place:  # nine in ten are known, and the tenth takes its time
            clock.now += 0.1
            place.scored(0.1)
    with under_way(room, 4):
        assert room.wait == pytest.approx(0.4, rel=0.02)


def test_what_is_not_scored_teaches_nothing_and_leaves_its_place() -> None:
    room = Admission(1, 0.5, clock := Clock())
    with suppress(ZeroDivisionError), room.one(SIZE):
        clock.now += 60
        raise ZeroDivisionError
    with room.one(SIZE):
        clock.now += 60
    with room.one(SIZE):
        assert room.wait == pytest.approx(SIZE / FIRST_PACE)


def test_who_leaves_unscored_had_its_share_of_the_time_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    room, learnt = Admission(1_000, 0.5, clock := Clock()), list[tuple[float, float]]()
    monkeypatch.setattr(room, "learn", lambda done, busy: learnt.append((done, busy)))
    with room.one(SIZE) as stays:
        with room.one(SIZE):
            clock.now += 1
        clock.now += 1
        stays.scored()
    assert learnt == [(SIZE, pytest.approx(1 / 2 + 1))]


def test_the_number_of_requests_is_bounded_however_patient() -> None:
    for patience in (0.0, 1e9):
        room = Admission(3, patience)
        with under_way(room, 3):
            refused = refusal(room.one(SIZE))
        assert "3 requests are under way, which is the limit" in str(refused)
        assert refused.response.headers["retry-after"] == "1"


def test_who_comes_while_another_is_scored_does_not_make_that_look_faster() -> None:
    room = Admission(1_000, 0.5, clock := Clock())
    for _ in range(20):
        with room.one(SIZE) as place:
            clock.now += 0.9
            with room.one(1):
                clock.now += 0.1
                place.scored()
    with under_way(room, 1):
        assert room.wait == pytest.approx(1.0, rel=0.02)


def test_without_patience_no_work_is_too_much() -> None:
    room = Admission(100, 0, clock := Clock())
    answered(room, clock, 60)
    with under_way(room, 99, 10_000 * SIZE):
        room.check()

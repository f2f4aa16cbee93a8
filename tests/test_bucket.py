"""Token buckets: a burst at once, then the rate, for each caller apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.gate.bucket import MAX_CALLERS, Buckets


@given(st.floats(0.1, 100), st.integers(1, 20), st.lists(st.floats(0, 5), max_size=60))
def test_no_caller_ever_gets_more_than_burst_and_rate(rate: float, burst: int, pauses: list[float]) -> None:
    now = [0.0]
    buckets = Buckets(rate, burst, lambda: now[0])
    taken = 0
    for pause in pauses:
        now[0] += pause
        wait = buckets.wait("desk")
        taken += wait == 0
        assert taken <= burst + rate * now[0] + 1e-6
        assert wait <= 1 / rate + 1e-9


def test_who_waits_as_told_is_let_in() -> None:
    now = [0.0]
    buckets = Buckets(0.5, 1, lambda: now[0])
    assert buckets.wait("desk") == 0
    now[0] += (wait := buckets.wait("desk"))
    assert wait == 2
    assert buckets.wait("desk") == 0
    assert buckets.wait("press") == 0


def test_who_was_away_for_long_gets_a_burst_and_no_more() -> None:
    now = [0.0]
    buckets = Buckets(1, 3, lambda: now[0])
    assert buckets.wait("desk") == 0
    now[0] = 1_000.0
    assert [buckets.wait("desk") == 0 for _ in range(5)] == [True, True, True, False, False]


def test_a_clock_that_steps_back_and_a_rate_of_zero_refuse_nobody() -> None:
    times = iter([10.0, 5.0, 5.0])
    buckets = Buckets(1, 2, lambda: next(times))
    assert [buckets.wait("desk"), buckets.wait("desk")] == [0, 0]
    assert {Buckets(0, 1).wait("desk") for _ in range(100)} == {0}


def test_the_memory_is_bounded() -> None:
    buckets = Buckets(1, 1)
    for number in range(MAX_CALLERS + 10):
        buckets.wait(str(number))
    assert len(buckets._filled) == MAX_CALLERS
    assert buckets.wait(str(MAX_CALLERS + 9)) > 0  # who came last is remembered
    assert buckets.wait("0") == 0  # who came first is not

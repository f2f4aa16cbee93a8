"""The garbage collector leaves what a service has loaded alone, and still collects what comes later."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.heap import calm, resting, settle


class Knot:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def own_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_loaded_is_out_of_sight() -> None:
    loaded = [Knot() for _ in range(10)]
    settle()
    assert gc.get_freeze_count() > len(loaded)
    assert not {id(one) for one in gc.get_objects()} & {id(one) for one in loaded}


def test_before_the_load_nothing_is_searched_for_garbage_and_little_later() -> None:
    before = [Knot() for _ in range(10)]
    calm()
    assert not {id(one) for one in gc.get_objects()} & {id(one) for one in before}
    assert gc.isenabled()
    assert gc.get_threshold()[0] > 700


def test_nothing_is_collected_while_it_rests_and_no_more_than_before_afterwards() -> None:
    with resting():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with resting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


IMPORTED = """
import gc
from _bentoml_sdk import Service
seen = []
gc.callbacks.append(lambda phase, _: seen.append(phase))
import serving.service
gc.callbacks.clear()
print(len(seen))
"""


def test_the_service_is_imported_while_the_collector_rests() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTED],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        check=True,
    )
    assert int(done.stdout) < 30


def test_what_comes_later_is_still_collected() -> None:
    settle()
    gone = weakref.ref(Knot())
    gc.collect()
    assert gone() is None

"""The garbage collector of a service that never lets go of what it loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 20_000  # allocations between two collections; the default of 700 collects several times within one request


@contextmanager
def resting() -> Iterator[None]:
    """Within, nothing is collected: for imports, whose objects stay."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def calm() -> None:
    """Take all that lives now out of the collector's sight, and let it run less often.

    Call it before much is loaded that stays: else the collector walks what is there already, again and again, for
    nothing (a tenth of the worker's start).
    """
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


def settle() -> None:
    """Collect what is left over, then `calm`.

    Call it once everything is loaded: else each full collection walks 250,000 objects of the model and the libraries,
    which stops every request for 0.12 s.
    """
    gc.collect()
    calm()

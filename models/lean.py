"""Keeps out of a serving process what it never uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _Hidden(MetaPathFinder):
    """Finds nothing, and says of one module that it is not installed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}: hidden in this process", name=name)


def hide(name: str) -> None:
    """From now on importing the module `name` fails as if it were not installed, unless it is there already.

    For a process of our own alone. scikit-learn imports pandas with the first value that it imputes, to see whether
    that is pandas' own NA: 60 MB and 0.2 s of each worker.
    """
    if not any(isinstance(finder, _Hidden) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _Hidden(name))


@contextmanager
def shown() -> Iterator[None]:
    """Within, nothing is hidden: for what is loaded once, to build an engine."""
    before = [*sys.meta_path]
    sys.meta_path[:] = [finder for finder in before if not isinstance(finder, _Hidden)]
    try:
        yield
    finally:
        sys.meta_path[:0] = [finder for finder in before if isinstance(finder, _Hidden)]


@contextmanager
def without(name: str) -> Iterator[None]:
    """Within, importing the module `name` fails as if it were not installed, unless it is there already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # what the import system itself reads as "absent"
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def swapped(module: ModuleType, name: str, stand_in: object) -> Iterator[None]:
    """Within, `module.name` is `stand_in`: for what another library runs while it is imported."""
    before = getattr(module, name)
    setattr(module, name, stand_in)
    try:
        yield
    finally:
        setattr(module, name, before)

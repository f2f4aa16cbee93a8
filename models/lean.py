"""Keeps out of a serving process what it never uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


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

"""Keeps out of a serving process what it never uses."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any


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
    own = name in vars(module)  # else the name is that of its kind
    before = getattr(module, name)
    setattr(module, name, stand_in)
    try:
        yield
    finally:
        if own:
            setattr(module, name, before)
        else:
            delattr(module, name)


class _Later:
    """What a module has under a name, looked up when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._place = module, name

    def _found(self) -> Any:
        module, name = self._place
        if isinstance(sys.modules.get(module), _StandIn):
            del sys.modules[module]
        return getattr(import_module(module), name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self._found()(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found(), name)


class _StandIn(ModuleType):
    """A module that is loaded when something of it is first used."""

    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


@contextmanager
def later(name: str) -> Iterator[None]:
    """Within, who imports the module `name` gets one that is loaded when something of it is first used.

    It is for functions and objects; nothing can be derived from its classes.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = stand_in = _StandIn(name)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


def import_sparing(modules: Iterable[str], spared: str) -> None:
    """Import modules, but what they import of `spared` only `later`; where they do not bear that, as usual."""
    modules = [*modules]
    try:
        with later(spared):
            for module in modules:
                import_module(module)
    except Exception:  # another version of them, which derives a class, say
        for module in modules:
            import_module(module)

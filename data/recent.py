"""A bounded memory of what was used last, for reposts."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

REMEMBERED = 32_768  # distinct texts; in a batch an answer of about 1 KB each, in the service half a KB

V = TypeVar("V")


class Recent(Generic[V]):
    """The values of the keys that were used last; which ones they are depends on the order of the calls alone.

    The reader of a batch (is this text a repeat?) and its assembler (what was the answer?) each keep one and make the
    same calls, so an answer that is asked for is always there, on whichever side of an interruption it was found.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._values: OrderedDict[str, V] = OrderedDict()

    def get(self, key: str) -> V | None:
        """The value, which is then the newest, or None."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: str, value: V) -> None:
        """Add a new key; the one that was not used for longest goes."""
        self._values[key] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)

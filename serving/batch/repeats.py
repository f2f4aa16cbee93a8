"""Reposts: a text that was scored a while ago in the same run is not scored again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

from data.records import Item

REMEMBERED = 32_768  # distinct texts; answers of about 1 KB each

V = TypeVar("V")


class Recent(Generic[V]):
    """The values of the keys that were used last; which ones they are depends on the order of the calls alone.

    The reader (is this text a repeat?) and the assembler (what was its answer?) each keep one and make the same
    calls, so an answer that is asked for is always there, on whichever side of an interruption it was found.
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


def repeat_key(item: Item) -> str:
    """Equal for items that differ in id, time and platform alone, none of which a score depends on; "" = no key.

    The text counts as it was written: words of signals and evidence are places in it.
    """
    if item.text is None or item.volume is not None:
        return ""
    text = item.text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, key=b"explain" if item.explain else b"").hexdigest()

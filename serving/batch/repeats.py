"""Reposts in a batch: a text that was scored a while ago in the same run is not scored again."""

from __future__ import annotations

import hashlib

from data.records import Item


def repeat_key(item: Item) -> str:
    """Equal for items that differ in id, time and platform alone, none of which a score depends on; "" = no key.

    The text counts as it was written: words of signals and evidence are places in it.
    """
    if item.text is None or item.volume is not None:
        return ""
    text = item.text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, key=b"explain" if item.explain else b"").hexdigest()

"""The variables that are read, in one table; one that is written wrongly would count as not set, so it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from models.cache import CACHE
from serving.drift.settings import VARIABLES as DRIFT
from serving.settings import PREFIX, Settings
from serving.store.settings import FOLDER
from serving.store.settings import VARIABLES as STORE

KNOWN = (*(PREFIX + name.upper() for name in Settings.__slots__), *STORE.values(), *DRIFT.values(), CACHE)
ALIKE = 0.6  # of 1, without the prefix: WATCHWORDS is told of WATCH_WORDS, COLOUR of nothing

# What Kubernetes sets in every pod beside a Service whose name begins with yujing.
_LINK = re.compile(r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?")


def unknown_settings(env: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that looks like one of ours and is none; it never holds the value."""
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in KNOWN and not _is_link(name, env[name]):
            yield f"{name} is no setting and does nothing{_nearest(name)}"


def idle_settings(env: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each setting of a store where no store is named, so that nothing is kept after all."""
    for name in STORE.values():
        if env.get(name) and not env.get(FOLDER):
            yield f"{name} does nothing, as nothing is stored: name a folder with {FOLDER} (yujing serve --store)"


def _is_link(name: str, value: str) -> bool:
    found = _LINK.search(name)
    return (found is not None and found.end() == len(name)) or (name.endswith("_PORT") and "://" in value)


def _nearest(name: str) -> str:
    known = {one.removeprefix(PREFIX): one for one in KNOWN}
    near = get_close_matches(name.removeprefix(PREFIX).upper(), known, 1, ALIKE)
    return f": did you mean {known[near[0]]}?" if near else ""

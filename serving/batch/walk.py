"""Files of this machine below a folder or by a pattern, through links too, but never round in a circle.

By `os`, not by pyarrow: that one stops at a name that is not UTF-8 (an archive from a Chinese Windows leaves names in
GBK), and follows a link to a folder above itself forty times.
"""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

STARS = "**"


def below(folder: str) -> list[str]:
    """Paths of all files in a folder and its folders, none when it is no folder; OSError where one cannot be read.

    A link to nothing is among them, to be refused when it is opened: else it would be lost unsaid.
    """
    if not os.path.isdir(folder):
        return []
    paths = (os.path.join(here, name) for here, files in _folders(folder) for name in files)
    return [path for path in paths if os.path.isfile(path) or not os.path.exists(path)]


def folders_below(folder: str) -> Iterator[str]:
    """The folder and those in which `below` finds files, also those that links lead to."""
    return (here for here, _ in _folders(folder, as_glob=True))


def matching(pattern: str) -> list[str]:
    """What the pattern matches, in order and once each; ** stands for any folders, also for none."""
    return sorted({*_matching(pattern)})


def _matching(pattern: str) -> Iterator[str]:
    parts = pattern.split(os.sep)
    if STARS not in parts:
        yield from glob.glob(pattern)
        return
    place = parts.index(STARS)
    head = os.sep.join([*parts[:place], ""])
    rest = os.sep.join(filter(None, parts[place + 1 :]))
    for top in _matching(head) if head else [""]:
        for folder, _ in _folders(top or os.curdir, as_glob=True):
            folder = folder if top else os.path.relpath(folder)
            here = "" if folder == os.curdir else folder
            yield from _matching(os.path.join(glob.escape(here), rest or "*"))
            if here and not rest:
                yield here


def _folders(top: str, as_glob: bool = False) -> Iterator[tuple[str, list[str]]]:
    """The folder and those below it, each with the names of what it holds besides folders.

    `as_glob`: those that are hidden or cannot be read are left out, and links that lead back are so without a word.
    """
    for here, folders, files in os.walk(top, onerror=None if as_glob else _refuse, followlinks=True):
        yield here, files
        wanted = [name for name in folders if not (as_glob and name.startswith("."))]
        back = {name for name in wanted if leads_back(Path(here, name))}
        folders[:] = [name for name in wanted if name not in back]
        for name in () if as_glob else sorted(back):
            logger.warning("%s: left out, as it links to a folder in which it lies", Path(here, name))


def leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one of those that lead to it."""
    if not folder.is_symlink():
        return False
    real = folder.resolve()
    return any(above.resolve().is_relative_to(real) for above in folder.parents)


def _refuse(error: OSError) -> None:
    raise error

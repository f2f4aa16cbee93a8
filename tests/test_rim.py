"""The rim: a table that cannot be read is told in one line, with its path and what to give, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.perturb_tables import load_tables
from data.respell import load_respelling
from data.signals import SignalLexicon
from models.policy import Policy

TABLES: dict[str, Callable[[Path], object]] = {
    "signals lexicon": SignalLexicon.load,
    "table of disguised words": load_respelling,
    "table of perturbations": load_tables,
    "policy table": Policy.load,
}
FILES = {
    "missing": (None, "No such file"),
    "gbk": ("name = '橙色'".encode("gbk"), "utf-8"),
    "no toml": (b"[matrix", "Expected"),
    "deep": (b"a = " + b"[" * 50_000, "recursion"),
    "other": (b"colour = 'red'", ": Field required"),
}


@pytest.mark.parametrize("what", TABLES)
@pytest.mark.parametrize(("content", "why"), FILES.values(), ids=FILES)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, what: str, content: bytes | None, why: str) -> None:
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"own\.toml: (?s:.*){why}(?s:.*): give a readable {what}$"):
        TABLES[what](path)

"""No pinned version is one of those with a known hole."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

TESTS = Path(__file__).parent
LINES = (TESTS.parent / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = [Requirement(line) for line in LINES if line and not line.startswith("#")]
VERSIONS = {canonicalize_name(pin.name): Version(next(iter(pin.specifier)).version) for pin in PINS}
ADVISORIES = tomllib.loads((TESTS / "advisories.toml").read_text(encoding="utf-8"))
ROWS = [(name, which, row) for name, rows in ADVISORIES.items() for which, row in rows.items()]


@pytest.mark.parametrize(("name", "which", "row"), ROWS, ids=[which for _, which, _ in ROWS])
def test_a_pin_is_not_below_the_fix(name: str, which: str, row: dict[str, str]) -> None:
    assert {*row} in ({"fixed"}, {"why"})
    assert name in VERSIONS, "no longer installed: take its advisories out"
    assert "why" in row or VERSIONS[canonicalize_name(name)] >= Version(row["fixed"]), which

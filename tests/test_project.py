"""What the package says of itself: pyproject.toml against the tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

from serving import openapi

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("data", "models", "training", "serving")


def test_the_classifiers_name_the_versions_that_may_run_it() -> None:
    found = [one for one in PROJECT["project"]["classifiers"] if one.startswith("Programming Language :: Python :: 3.")]
    assert [one.rpartition(" ")[2] for one in found] == ["3.11", "3.12", "3.13"]
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14"


def test_the_types_count_where_it_is_installed() -> None:
    for room in ROOMS:
        assert (ROOT / room / "py.typed").is_file()
        assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"][room]


def test_the_contract_has_a_version_of_its_own_and_says_so() -> None:
    assert "not of the package" in openapi.ABOUT

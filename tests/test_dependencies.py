"""What the code imports is declared, and what is declared admits the versions that the tests run with."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ROOMS = ("data", "models", "training", "serving")
NAMES = {"sklearn": "scikit-learn", "pythonjsonlogger": "python-json-logger"}  # whose module has another name
OPTIONAL = {  # files of an extra
    "serving/batch/spark.py": "spark",
    "serving/batch/ray_pool.py": "cluster",
    "serving/benchmarks/lit_peer.py": "bench",
}


def requirements(*extras: str) -> dict[str, Requirement]:
    """What is declared, by name."""
    lines = [*PROJECT["dependencies"], *(line for one in extras for line in PROJECT["optional-dependencies"][one])]
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it, but those of the project."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {module for module in found if module.partition(".")[0] not in ROOMS}


def package(module: str) -> str:
    name = module.partition(".")[0]
    return canonicalize_name(NAMES.get(name, name))


FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
ALL = {path.relative_to(ROOT).as_posix(): imported(path) for path in FILES}
IMPORTS = {
    place: {module for module in modules if module.partition(".")[0] not in sys.stdlib_module_names}
    for place, modules in ALL.items()
}


@pytest.mark.parametrize("place", [place for place, modules in IMPORTS.items() if modules])
def test_what_is_imported_is_declared(place: str) -> None:
    declared = requirements(*([OPTIONAL[place]] if place in OPTIONAL else []))
    assert {package(module) for module in IMPORTS[place]} - {*declared} == set()


def test_a_package_whose_private_modules_are_used_has_a_cap() -> None:
    private = {module for modules in IMPORTS.values() for module in modules if "._" in module}
    used = {package(module): module for module in private}
    assert {"bentoml", "scikit-learn", "uvicorn"} <= {*used}
    for name in used:
        assert {one.operator for one in requirements()[name].specifier} & {"<", "=="}, used[name]


def test_what_needs_a_posix_system_says_so() -> None:
    assert "fcntl" in {module for modules in ALL.values() for module in modules}
    assert "Operating System :: POSIX" in PROJECT["classifiers"]
    assert not [name for name, one in requirements().items() if "win32" in str(one.marker)]


def test_the_versions_of_the_tests_are_admitted() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.partition(";")[0].strip().split("==") for line in lines if "==" in line)
    versions = {canonicalize_name(name): version for name, version in pins.items()}
    for name, requirement in requirements("dev").items():
        assert requirement.specifier.contains(versions[name]), requirement

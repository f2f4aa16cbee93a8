"""Laws of the tree: a room imports only rooms to its left, prints nothing and unpickles nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("data", "models", "training", "serving")
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").glob("*.py"))
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
TRAINERS = {"serving/commands/train.py", "serving/commands/policy.py"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _modules(node: ast.AST) -> list[str]:
    """Modules that an import statement names; none for other nodes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "write imports in full"
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _imports(tree: ast.AST) -> set[str]:
    return {module for node in ast.walk(tree) for module in _modules(node)}


def _rooms(tree: ast.AST) -> set[str]:
    return {module.split(".")[0] for module in _imports(tree)} & set(ROOMS)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run at import."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


def test_the_four_rooms_are_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(ROOMS)


@each_file
def test_a_room_imports_only_rooms_to_its_left(path: Path) -> None:
    place = path.relative_to(ROOT)
    allowed = set(ROOMS[: ROOMS.index(place.parts[0]) + 1])
    if place.parts[0] == "serving" and place.as_posix() not in TRAINERS:
        allowed -= {"training"}
    assert _rooms(_tree(path)) <= allowed


@pytest.mark.parametrize("place", sorted(TRAINERS))
def test_the_training_commands_import_training_only_when_they_run(place: str) -> None:
    tree = _tree(ROOT / place)
    assert "training" in _rooms(tree)
    at_import = {module for node in _outside_functions(tree) for module in _modules(node)}
    assert not any(module.split(".")[0] == "training" for module in at_import)


@each_file
def test_nothing_is_printed_but_an_error_line(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            assert [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "file"] == ["sys.stderr"]


@each_file
def test_no_file_is_unpickled(path: Path) -> None:
    tree = _tree(path)
    assert not {module.split(".")[0] for module in _imports(tree)} & UNSAFE
    assert "sklearn.externals" not in _imports(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"torch.load", "torch.save", "eval", "exec"}
            assert "allow_pickle" not in {keyword.arg for keyword in node.keywords}


@each_file
def test_every_file_says_what_it_is(path: Path) -> None:
    said = ast.get_docstring(_tree(path))
    assert said
    assert said.splitlines()[0].endswith((".", "?", ":"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_every_test_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(_tree(path))


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=lambda p: p.parent.name)
def test_packages_only_export(path: Path) -> None:
    assert all(isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign) for node in _tree(path).body)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("serving.scoring", ("training", "torch", "transformers", "datasets", "bentoml")),
        ("data.signals", ("models", "training", "serving", "torch", "datasets", "sklearn")),
    ],
)
def test_what_an_import_must_not_bring(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {*done.stdout.split()} & set(absent)

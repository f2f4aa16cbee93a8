"""Keys of engines: all that the graph is built of decides, and nothing else does."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from models import engine_key as module
from models.bundle import ADAPTER, LEXICAL, Bundle, text_part
from models.engine_key import CODE, engine_key, recipe
from models.manifest import Manifest

MODELS = Path(module.__file__).parent
BUILDERS = ("adapter", "export", "quantise", "quantise_rows")  # what `models.engine_build` imports to build
NO_GRAPH = {"bundle", "cache", "encoder_place", "sums"}  # where things lie, and whether they are whole


@pytest.fixture(autouse=True)
def fresh_recipe() -> Iterator[None]:
    recipe.cache_clear()
    yield
    recipe.cache_clear()


def text(**changes: Any) -> Callable[[Manifest], Manifest]:
    return lambda manifest: replace(manifest, text=manifest.text and replace(manifest.text, **changes))


def changed(bundle: Bundle, change: Callable[[Manifest], Manifest]) -> Bundle:
    return replace(bundle, manifest=change(bundle.manifest))


def of_file(name: str) -> Callable[[Manifest], Manifest]:
    return lambda manifest: replace(manifest, files={**manifest.files, name: "0" * 64})


def test_another_head_or_calibration_has_the_same_engine(tiny_bundle: Bundle) -> None:
    """A refit of one of them built an identical engine, beside live traffic at a reload."""
    dearer = replace(text_part(tiny_bundle).calibration, under_cost=9.0)
    for change in (of_file("escalation-counts.skops"), of_file(LEXICAL), text(calibration=dearer), text(max_tokens=64)):
        other = changed(tiny_bundle, change)
        assert other.manifest.digest != tiny_bundle.manifest.digest
        assert engine_key(other) == engine_key(tiny_bundle)


@pytest.mark.parametrize(
    "change",
    [
        of_file(ADAPTER),
        text(encoder="another"),
        text(encoder_sha256="0" * 64),
        text(adapter_rank=5),
        text(ranks=6),
        text(pool_after=1),
        lambda manifest: replace(manifest, categories=(*manifest.categories, "one more")),
    ],
)
def test_whatever_the_graph_is_built_of_decides(tiny_bundle: Bundle, change: Callable[[Manifest], Manifest]) -> None:
    assert engine_key(changed(tiny_bundle, change)) != engine_key(tiny_bundle)


def test_an_engine_that_was_built_elsewhere_serves_without_what_built_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service without torch cannot build: with the versions of what builds in the key it would look for another."""

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    before = recipe()
    monkeypatch.setattr(metadata, "version", absent)
    recipe.cache_clear()
    assert recipe() == before


def test_other_code_has_an_engine_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe()
    for name in CODE:
        (tmp_path / f"{name}.py").write_bytes((MODELS / f"{name}.py").read_bytes())
    monkeypatch.setattr(module, "__file__", str(tmp_path / "engine_key.py"))
    recipe.cache_clear()
    assert recipe() == before
    with (tmp_path / "pooling.py").open("a") as file:
        file.write("DIVISOR = 2\n")
    recipe.cache_clear()
    assert recipe() != before


def _models_of(name: str) -> set[str]:
    """Modules of this room that one of them imports."""
    tree = ast.parse((MODELS / f"{name}.py").read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {one.removeprefix("models.") for one in found if one.startswith("models.")}


def test_all_code_that_builds_is_in_the_recipe() -> None:
    todo, reached = {*BUILDERS}, set[str]()
    while todo:
        reached.add(name := todo.pop())
        todo |= _models_of(name) - NO_GRAPH - reached
    assert reached == {*CODE}


def test_a_key_loads_no_library_that_builds() -> None:
    told = (
        "import sys; from models.bundle import open_bundle; from models.engine_key import engine_key\n"
        "engine_key(open_bundle(None)); print(*{'torch', 'transformers', 'peft', 'nncf', 'onnx'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", told], cwd=MODELS.parent, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []

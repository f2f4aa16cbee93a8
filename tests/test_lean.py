"""Serving needs neither torch nor what else training is made of, once the engine is cached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from data.records import Item
from models.bundle import Bundle
from models.lean import hide, import_sparing, later, shown, swapped, without
from models.scorer import Scorer
from serving.process import running
from serving.wire import write_results

TESTS = Path(__file__).parent
POST = "吃了三天拉肚子，客服推诿，已经打12315"
BODY = {"items": [{"id": "w1", "text": POST}]}
IN_A_LEAN_PROCESS = """
import sys, lean_service
from pathlib import Path
from data.records import Item
from models.scorer import Scorer
from serving.wire import write_results
scorer = Scorer.load(Path(sys.argv[1]), threads=1)
sys.stdout.buffer.write(write_results(scorer.score([Item(id="w1", text=sys.argv[2])])))
"""


@pytest.fixture(scope="module")
def wanted(tiny_bundle: Bundle) -> bytes:
    """The answer of this process, in which torch is at hand; it also leaves the engine in the cache."""
    return write_results(Scorer.load(tiny_bundle.folder, threads=1).score([Item(id="w1", text=POST)]))


def test_a_scorer_without_torch_gives_the_same_answer(tiny_bundle: Bundle, wanted: bytes) -> None:
    args = [sys.executable, "-W", "ignore", "-c", IN_A_LEAN_PROCESS, str(tiny_bundle.folder), POST]
    path = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    done = subprocess.run(args, env=os.environ | path, capture_output=True, check=True)
    assert done.stdout == wanted


def test_the_service_starts_and_scores_without_torch(tiny_bundle: Bundle, wanted: bytes) -> None:
    with running({"YUJING_BUNDLE": str(tiny_bundle.folder)}, service="lean_service:Yujing", root=TESTS) as service:
        answer = httpx.post(f"{service.url}/score", json=BODY, timeout=30, trust_env=False)
    assert answer.content == wanted


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("models.scorer", {"torch", "transformers", "onnxruntime", "nncf", "pandas", "sklearn.neural_network"}),
        ("serving.process, serving.recorder_env, serving.gate.access", {"bentoml", "torch", "sklearn"}),
        ("serving.service", {"torch", "pandas", "sqlalchemy", "alembic", "sklearn", "scipy", "openvino", "tokenizers"}),
    ],
)
def test_what_serving_never_uses_is_not_loaded_where_it_is_at_hand(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*{heavy} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=TESTS.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_function_is_swapped_only_within() -> None:
    before = json.dumps
    with swapped(json, "dumps", list):
        assert json.dumps is list
    assert json.dumps is before
    with pytest.raises(ZeroDivisionError), swapped(json, "dumps", list):
        raise ZeroDivisionError
    assert json.dumps is before


def test_what_a_module_has_of_its_kind_comes_back() -> None:
    wanted = dir(json)
    with swapped(json, "__dir__", list):
        assert dir(json) == []
    assert dir(json) == wanted
    assert "__dir__" not in vars(json)


def module_of(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return name


@pytest.fixture
def spared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that nobody has imported yet, and that can be."""
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "class Base: ...\nclass Held:\n    inner = 7\ndef double(x): return 2 * x\n"
    yield module_of(tmp_path, "spared_one", text)
    for name in ("spared_one", "user_of_it"):
        sys.modules.pop(name, None)


def test_what_is_spared_is_loaded_when_it_is_used(spared: str, tmp_path: Path) -> None:
    import_sparing([module_of(tmp_path, "user_of_it", f"import {spared}\nfrom {spared} import Held, double")], spared)
    assert spared not in sys.modules
    user = sys.modules["user_of_it"]
    assert (user.double(21), user.Held.inner, user.spared_one.double(2)) == (42, 7, 4)
    assert spared in sys.modules


def test_what_is_spared_can_be_used_while_it_is(spared: str, tmp_path: Path) -> None:
    import_sparing([module_of(tmp_path, "user_of_it", f"from {spared} import double\nfour = double(2)")], spared)
    assert sys.modules["user_of_it"].four == 4


def test_who_needs_more_of_it_gets_it(spared: str, tmp_path: Path) -> None:
    import_sparing([module_of(tmp_path, "user_of_it", f"from {spared} import Base\nclass Mine(Base): ...")], spared)
    assert sys.modules["user_of_it"].Mine.__mro__[1] is sys.modules[spared].Base


def test_what_is_loaded_is_not_spared() -> None:
    with later("json"):
        import json as again
    assert again is json


def test_a_module_is_hidden_only_within() -> None:
    with without("antigravity"), pytest.raises(ImportError):
        import antigravity  # noqa: F401
    assert "antigravity" not in sys.modules


def test_a_module_that_is_loaded_stays() -> None:
    with without("json"):
        import json as again
    assert again is json


ANSWERED = """
import sys
from models.lean import hide
hide("pandas")
from data.records import Volume
from models.escalation_store import HEADS, open_head
from models.bundle import open_bundle
from datetime import UTC, datetime
volume = Volume(as_of=datetime(2026, 1, 1, tzinfo=UTC), counts=(9.0,) * 6, heat=(9.0,) * 6, alarm_threshold=99.0)
found = (open_head(open_bundle(None), kind).predict([volume])[0].n_obs for kind in HEADS.values())
print(*found, *{"pandas", "scipy.stats"} & sys.modules.keys())
"""


def test_an_answer_loads_no_pandas_where_it_is_hidden_and_never_scipys_statistics() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ANSWERED], cwd=TESTS.parent, capture_output=True)
    assert done.stdout.split() == [b"6", b"6"]


LISTED = """
import models.escalation_store
from skops.io import _general
print(*_general.SCIPY_UFUNC_TYPE_NAMES, *_general.NUMPY_UFUNC_TYPE_NAMES)
"""


def test_skops_searches_no_modules_for_functions_that_no_head_has() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LISTED], cwd=TESTS.parent, capture_output=True)
    assert (done.stdout.split(), done.returncode) == ([], 0)


BUILT = """
import sys
from collections.abc import Iterator
from pathlib import Path
from models.lean import hide
hide("pandas")
from data.records import Item
from models.scorer import Scorer
print(Scorer.load(Path(sys.argv[1]), sys.argv[2], threads=1).score([Item(text=sys.argv[3])])[0].error)
"""


@pytest.mark.parametrize("engine", ["int8", "torch"])
def test_an_engine_is_built_where_pandas_is_hidden(tiny_bundle: Bundle, tmp_path: Path, engine: str) -> None:
    """As at the first start of the service: transformers and NNCF import it."""
    args = [sys.executable, "-W", "ignore", "-c", BUILT, str(tiny_bundle.folder), engine, POST]
    done = subprocess.run(
        args, cwd=TESTS.parent, env={**os.environ, "YUJING_CACHE": str(tmp_path)}, capture_output=True
    )
    assert done.stdout.split() == [b"None"], done.stderr.decode()[-2_000:]


def test_a_module_stays_hidden_until_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    hide("this")
    hide("this")
    with pytest.raises(ImportError, match="hidden"):
        import this
    with shown():
        import this
    monkeypatch.delitem(sys.modules, "this")
    with pytest.raises(ImportError, match="hidden"):
        import this  # noqa: F401

"""The real service in an environment without what training needs (`bentoml serve lean_service:Yujing`)."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

ABSENT = {"torch", "transformers", "peft", "nncf", "onnx", "datasets", "accelerate"}


class Absent(MetaPathFinder):
    """Nothing of ABSENT is found."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())

from serving.service import Yujing  # noqa: E402, F401  (after the line above)

"""Writes the JSON schemas of records: what an answer always has is required, and what stands below a field tells it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DataclassSchema


class SchemaWriter(GenerateJsonSchema):
    """Pydantic's writer of schemas, with both."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)

    def dataclass_schema(self, schema: DataclassSchema) -> dict[str, Any]:
        written = super().dataclass_schema(schema)
        for record in schema["cls"].__mro__:
            for name, meaning in _records(record.__module__).get(record.__name__, {}).items():
                written["properties"][name].setdefault("description", meaning)
        return written


@cache
def _records(module: str) -> Mapping[str, Mapping[str, str]]:
    """Of each class of a module, its fields and the texts that stand below them; none where there is no source.

    Pydantic's `use_attribute_docstrings` does not reach inherited fields, and reads a file once for each class in it.
    """
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):  # TypeError: built in
        return {}
    return {node.name: dict(_meanings(node)) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _meanings(record: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(record.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            yield field.target.id, " ".join(str(ast.literal_eval(below.value)).split())

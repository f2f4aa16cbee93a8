"""The schemas of the OpenAPI text: what pydantic writes of our records, and what their own checks demand besides."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter

from data.results import Result
from data.taxonomy import Category, Severity, load_taxonomy
from models.policy_table import PolicyTable
from serving.model_card import ModelDescription
from serving.openapi_answers import REF, Spec
from serving.openapi_writer import SchemaWriter
from serving.pages import Reload
from serving.recorder_pages import DriftAnswer
from serving.store.records import Correction
from serving.wire import ScoreRequest

ERROR: Spec = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "description": "Why the request was refused.",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "For programs; new ones may come."},
                "message": {"type": "string", "description": "What is wrong, and what to do."},
            },
        }
    },
}


def _schema(kind: type, mode: Literal["validation", "serialization"]) -> Spec:
    schema = TypeAdapter[Any](kind).json_schema(ref_template=REF, schema_generator=SchemaWriter, mode=mode)
    return {**schema.pop("$defs", {}), kind.__name__: schema}


def _given(**types: str) -> Spec:
    """What a record's own check demands: these fields, not null."""
    return {"required": list(types), "properties": {name: {"type": kind} for name, kind in types.items()}}


def schemas() -> Spec:
    found: Spec = {"Error": ERROR}
    for given in (ScoreRequest, Reload, Correction):
        found |= _schema(given, "validation")
    for answered in (Result, ModelDescription, PolicyTable, Category, Severity, DriftAnswer):
        found |= _schema(answered, "serialization")
    found["Item"]["anyOf"] = [_given(text="string"), _given(volume="object")]
    found["Volume"]["anyOf"] = [_given(counts="array"), _given(heat="array", alarm_threshold="number")]
    found["Correction"]["anyOf"] = [_given(category="string"), _given(severity="integer"), _given(escalated="boolean")]
    below = found["Band"]["properties"]["below"]
    found["Band"]["properties"]["below"] = {  # JSON has no infinity
        "type": ["number", "null"],
        "description": below["description"],
    }
    found["Category"]["examples"] = [TypeAdapter(Category).dump_python(load_taxonomy().categories[1])]
    found["PolicyTable"]["examples"] = [{"version": "1"}]  # not loaded: only with a bundle can it be checked
    return found

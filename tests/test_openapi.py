"""The OpenAPI text: complete, consistent with the table of endpoints, and true of what the parser takes."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from data.errors import InputError
from serving.examples import SAMPLE_RESULTS
from serving.gate.access import FORWARDED
from serving.gate.endpoints import find
from serving.openapi import complete
from serving.openapi_answers import ALWAYS
from serving.process import ROOT
from serving.settings import Group, Settings
from serving.wire import read_json, read_request, write_results

GIVEN = {"ScoreRequest", "Item", "Volume", "Reload", "Correction"}  # the schemas of what callers send


def written(public: Collection[Group]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BentoML's own
        from serving.service import Yujing

        spec = complete(Yujing.openapi_spec.asdict(), keyed=True, public=public)  # type: ignore[attr-defined]
        return json.loads(json.dumps(spec))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return written(Settings().public)


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def operations(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{verb} {path}": found for path, item in spec["paths"].items() for verb, found in item.items()}


def test_every_documented_path_is_in_the_table_of_endpoints(spec: dict[str, Any]) -> None:
    assert all(find(path) for path in spec["paths"])
    assert {"/score", "/taxonomy", "/model", "/policy", "/admin/reload", "/metrics", "/livez"} <= set(spec["paths"])


@pytest.mark.parametrize("public", [(), ("probes",), ("metrics", "docs"), Settings().public])
def test_a_page_that_needs_a_key_says_so(public: tuple[Group, ...]) -> None:
    for path, item in written(public)["paths"].items():
        endpoint = find(path)
        for operation in item.values():
            needs_none = endpoint is not None and endpoint.group in public
            assert (operation.get("security") == []) is needs_none, path
            assert ({"401", "403"} <= set(operation["responses"])) is not needs_none, path


def test_every_reference_leads_somewhere_and_every_schema_is_used(spec: dict[str, Any]) -> None:
    names = {name.rpartition("/")[2] for name in references(spec)}
    assert names == set(spec["components"]["schemas"])


def test_every_operation_names_its_refusals_with_an_example(spec: dict[str, Any]) -> None:
    found = operations(spec)
    assert len({operation["operationId"] for operation in found.values()}) == len(found)
    for name, operation in found.items():
        if operation.get("security") == []:  # probes and metrics
            continue
        assert {str(status) for status in ALWAYS} <= set(operation["responses"]), name
        assert len({"200", "204"} & set(operation["responses"])) == 1, name
        for status, response in operation["responses"].items():
            assert status in ("200", "204") or response["content"]["application/json"]["example"]["error"], name
    assert {"400", "409", "422", "429"} <= set(found["post /score"]["responses"])


def test_the_example_is_a_valid_request(spec: dict[str, Any]) -> None:
    example = operations(spec)["post /score"]["requestBody"]["content"]["application/json"]["example"]
    assert [item.id for item in read_request(json.dumps(example).encode())] == ["w1", "w2"]


@pytest.mark.parametrize("name", ["post /score", "post /feedback"])
def test_idempotency_is_documented_with_its_bounds_and_refusals(spec: dict[str, Any], name: str) -> None:
    operation = operations(spec)[name]
    parameters = {parameter["name"]: parameter["description"] for parameter in operation["parameters"]}
    assert set(parameters) == {"Idempotency-Key", "X-Request-ID"}
    assert "up to 24 h, 4,096 answers or 64 MiB" in parameters["Idempotency-Key"]
    assert {"409", "422"} <= set(operation["responses"])


def test_every_field_that_is_always_written_is_required(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    for name in schemas.keys() - GIVEN:
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name
    [*results] = read_json(write_results(SAMPLE_RESULTS))
    assert all(set(result) == set(schemas["Result"]["required"]) for result in results)


def undescribed(schema: dict[str, Any]) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        if not inner.get("description", "").strip():
            yield name
        yield from undescribed(inner)


def test_every_property_of_an_answer_is_described(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    pages = [operation["responses"].get("200", {}) for operation in operations(spec).values()]
    inline = [media.get("schema", {}) for page in pages for media in page.get("content", {}).values()]
    assert not {name: [*undescribed(schemas[name])] for name in schemas.keys() - GIVEN if [*undescribed(schemas[name])]}
    assert not [name for schema in inline for name in undescribed(schema)]


def test_descriptions_are_those_of_the_records(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    assert "code points" in schemas["Word"]["properties"]["start"]["description"]
    assert schemas["DriftAnswer"]["properties"]["window"]["description"] == "Posts that it holds at most."  # inherited


def test_every_code_of_an_item_is_listed(spec: dict[str, Any]) -> None:
    sources = "".join(path.read_text() for room in ("models", "serving") for path in (ROOT / room).rglob("*.py"))
    codes = {*re.findall(r'ItemError\(\s*"(\w+)"', sources), InputError.code}
    told = spec["components"]["schemas"]["ItemError"]["properties"]["code"]["description"]
    assert set(re.findall(r"`(\w+)`", told)) == codes
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [row] = [line for line in readme.splitlines() if line.startswith("| `error` |")]
    assert set(re.findall(r"`(\w+)`", row)) == codes | {"error", "code", "message"}


def test_what_is_read_of_a_long_text_and_how_large_a_body_may_be_is_said(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    assert "about the first 250 and the last 80 characters" in json.dumps(schemas["Item"]["properties"]["text"])
    assert "2 MiB" in schemas["ScoreRequest"]["properties"]["items"]["description"]
    assert Settings().max_body == 2 << 20


def test_what_callers_may_leave_out_is_not_required(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    required = {name: schemas[name].get("required", []) for name in GIVEN}
    assert required == {
        "ScoreRequest": ["items"],
        "Item": [],
        "Volume": ["as_of"],
        "Reload": [],
        "Correction": ["prediction_id", "who"],
    }


def test_names_of_operations_are_names(spec: dict[str, Any]) -> None:
    for operation in operations(spec).values():
        assert re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", operation["operationId"])


def test_the_timeouts_answer_promises_no_header_of_ours(spec: dict[str, Any]) -> None:
    for operation in operations(spec).values():
        for status, response in operation["responses"].items():
            assert operation.get("security") == [] or ("headers" in response) == (status not in ("204", "504"))


def test_who_may_call_without_keys_is_said(spec: dict[str, Any]) -> None:
    assert all(header in spec["info"]["description"] for header in (*FORWARDED, "`cross_site`", "Sec-Fetch-Site"))

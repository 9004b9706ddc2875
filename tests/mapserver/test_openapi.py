"""The API document: valid in both versions, and whole."""

import copy

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from mapserver.app import create_app
from mapserver.oas30 import as_30
from mapserver.operations import OAS30, OAS31, OPERATIONS


@pytest.fixture(scope="module")
def document(toy_settings):
    return create_app(toy_settings, "").openapi()


def operations(document):
    return {each["operationId"]: each for path in document["paths"].values() for each in path.values()}


def test_the_document_is_valid_in_both_versions(document):
    OpenAPIV31SpecValidator(document).validate()
    before = copy.deepcopy(document)
    rendered = as_30(document)
    OpenAPIV30SpecValidator(rendered).validate()
    assert rendered["openapi"] == "3.0.3"
    assert document == before
    assert "'null'" not in str(rendered)


def test_every_operation_says_its_formats_and_no_other_is_described(document):
    assert set(operations(document)) == set(OPERATIONS)
    for name, operation in operations(document).items():
        good = next(answer for status, answer in operation["responses"].items() if status[0] in "23")
        assert set(good.get("content", {})) == set(OPERATIONS[name].formats.values()), name


def test_json_has_a_shape_that_names_its_members(document):
    for name, operation in operations(document).items():
        for answer in operation["responses"].values():
            for media, said in answer.get("content", {}).items():
                if "json" in media and "openapi" not in media:
                    assert "$ref" in said["schema"] or said["schema"].get("properties"), (name, media)


def test_no_query_parameter_can_be_null(document):
    for name, operation in operations(document).items():
        for parameter in operation["parameters"]:
            assert "null" not in str(parameter.get("schema")), (name, parameter)


def test_a_way_to_sign_in_is_needed_only_where_nobody_gets_in_without(document):
    assert {} in document["security"]
    needed = {
        name for name, operation in operations(document).items() if {} not in operation.get("security", [{}])
    }
    assert needed == {name for name, known in OPERATIONS.items() if known.private}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "number"]}, {"anyOf": [{"type": "string"}, {"type": "number"}]}),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/x"}]}, {"anyOf": [{"$ref": "#/x"}], "nullable": True}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"type": "array", "prefixItems": [{}]}, {"type": "array", "items": {}}),
        ({"examples": [1, 2]}, {"example": 1}),
        ({"x-most": 3}, {"maximum": 3}),
        ({"properties": {"type": {"type": "string"}}}, {"properties": {"type": {"type": "string"}}}),
    ],
)
def test_a_schema_is_said_in_the_words_of_3_0(schema, said):
    assert as_30({"schema": schema})["schema"] == said


@pytest.mark.parametrize(
    ("query", "accept", "media", "version"),
    [
        ("", "*/*", OAS31, "3.1"),
        ("?f=oas31", OAS30, OAS31, "3.1"),
        ("?f=json", "*/*", OAS31, "3.1"),
        ("?f=oas30", "*/*", OAS30, "3.0"),
        ("", OAS30, OAS30, "3.0"),
        ("", "application/vnd.oai.openapi+json; version=3.0", OAS30, "3.0"),
    ],
)
async def test_the_version_is_chosen_by_f_and_else_by_accept(client, query, accept, media, version):
    answer = await client.get(f"/api{query}", headers={"Accept": accept})
    assert answer.headers["content-type"] == media
    assert answer.json()["openapi"].startswith(version)
    assert answer.json()["servers"][0]["url"] == "http://map.test"

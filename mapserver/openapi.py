"""The OpenAPI document: what the framework finds out by itself, completed by what it cannot know."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from layers.catalog.registry import LAYERS
from mapserver import matrices
from mapserver.operations import OPERATIONS, Operation
from mapserver.params import LIMIT_DEFAULT, LIMIT_MOST

_REF = "#/components/schemas/{model}"

PARAMETERS: dict[str, dict[str, Any]] = {
    "bbox": {
        "name": "bbox",
        "in": "query",
        "description": "west,south,east,north in degrees, or with heights, which are not used; west may be above "
        "east across the antimeridian",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
    },
    "datetime": {
        "name": "datetime",
        "in": "query",
        "description": "an RFC 3339 instant, or a closed interval a/b; .. is an open end",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {"type": "string", "maxLength": 100},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": f"most features of a page; more than {LIMIT_MOST} is taken as {LIMIT_MOST}",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {"type": "integer", "minimum": 1, "x-most": LIMIT_MOST, "default": LIMIT_DEFAULT},
    },
}
"""Query parameters as OGC API words them, which one schema of the framework's cannot say."""

_PATH: dict[str, dict[str, Any]] = {
    "layer_id": {"enum": list(LAYERS)},
    "layer": {"examples": ["all"]},
    "feature_id": {"examples": ["1"]},
    "tms": {"enum": [matrices.ID]},
}
"""What a part of a path may be, where that can be said."""

_SECURITY: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "description": "as `onemap token create` prints it"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "onemap", "description": "as `/enter` sets it"},
}
_SIGNED_IN: list[dict[str, list[str]]] = [{name: []} for name in _SECURITY]


class Described(FastAPI):
    """An application whose OpenAPI document is whole."""

    def openapi(self) -> dict[str, Any]:
        """The document, version 3.1; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The framework's document, changed in place: media types and shapes, OGC's parameters, ways to sign in."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= _shapes()
    components["parameters"] = PARAMETERS
    components["securitySchemes"] = _SECURITY
    document["security"] = [{}, *_SIGNED_IN]
    for operation in _operations(document):
        _word(operation)
        operation["parameters"] = [_parameter(each) for each in operation.get("parameters", [])]
        _answer(operation, OPERATIONS.get(operation["operationId"], Operation()))
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _shapes() -> dict[str, Any]:
    """JSON Schemas of every shape that answers have, by name."""
    shapes = {each.shape for each in OPERATIONS.values() if each.shape is not None}
    wanted = sorted(shapes, key=lambda shape: shape.__name__)
    _, made = models_json_schema([(shape, "serialization") for shape in wanted], ref_template=_REF)
    found: dict[str, Any] = made["$defs"]
    return found


def _word(operation: dict[str, Any]) -> None:
    """Have it called by the first sentence of its docstring; the framework would take the function's name."""
    first, _, rest = operation.pop("description", operation["summary"]).partition("\n\n")
    operation["summary"] = " ".join(first.split()).removesuffix(".")
    if rest:
        operation["description"] = rest


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    """One parameter: OGC's own by reference, any other without the null that no URL can hold."""
    if given["in"] == "query" and given["name"] in PARAMETERS:
        return {"$ref": f"#/components/parameters/{given['name']}"}
    schema = given["schema"]
    if given["in"] == "path":
        schema |= _PATH.get(given["name"], {})
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema |= kinds[0]
    elif kinds:
        schema["anyOf"] = kinds
    return given


def _answer(operation: dict[str, Any], known: Operation) -> None:
    """Say which formats the good answer has, and who gets it."""
    if known.private:
        operation["security"] = _SIGNED_IN
    status = next(code for code in operation["responses"] if code.startswith(("2", "3")))
    good = operation["responses"][status]
    shape = good.get("content", {}).get("application/json", {}).get("schema")
    if known.shape is not None:
        shape = {"$ref": _REF.format(model=known.shape.__name__)}
    content = {media: _media(media, shape) for media in known.formats.values()}
    if content:
        good["content"] = content
    for parameter in operation["parameters"]:
        if parameter.get("name") == "f":
            parameter["schema"] |= {"enum": list(known.formats)}


def _media(media: str, shape: dict[str, Any] | None) -> dict[str, Any]:
    if "json" in media:
        return {"schema": shape or {"type": "object"}}
    return {"schema": {"type": "string"}} if media.startswith("text/") else {}

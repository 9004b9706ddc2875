"""What a caller may filter and sort by: the fields that it may read, and the geometry that it sees."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal, assert_never

from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.types import Boolean, DateTime, Float, Integer, NullType, Numeric, Text

from layers.catalog.layer import Layer, Shape
from layers.core.audience import Audience
from layers.core.errors import BadValue
from layers.core.span import parse_instant

Kind = Literal["text", "number", "boolean", "instant", "geometry"]

GEOMETRY = "geometry"

_FORMATS: dict[Shape, str] = {
    "point": "geometry-point",
    "line": "geometry-multilinestring",
    "polygon": "geometry-multipolygon",
    "any": "geometry-any",
}
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Queryable:
    """One name with its column; `schema` is what JSON Schema says of its values."""

    name: str
    kind: Kind
    column: ColumnElement[Any]
    schema: dict[str, Any]

    def read(self, text: str, parameter: str) -> Any:
        """A value as a parameter of this name gives it.

        Raises
        ------
        BadValue : no value of this kind.
        """
        match self.kind:
            case "text":
                return text
            case "boolean":
                found: Any = _BOOLEANS.get(text)
            case "instant":
                return {"timestamp": parse_instant(text, parameter).astimezone(UTC).isoformat()}
            case "number":
                found = _number(text)
            case "geometry":
                found = None
            case _:
                assert_never(self.kind)
        if found is None:
            raise BadValue(f"{parameter}: '{text[:40]}' is no {self.kind}", parameter=parameter)
        return found


def queryables(layer: Layer, audience: Audience) -> dict[str, Queryable]:
    """By their names; a filter on anything else would tell of what the audience may not read."""
    role = {"x-ogc-role": "primary-geometry", "format": _FORMATS[layer.shape]}
    geometry = type_coerce(layer.geometry_for(audience), NullType())
    found = {GEOMETRY: Queryable(GEOMETRY, "geometry", geometry, {"title": "where it is", **role})}
    for field in layer.fields_for(audience):
        kind = _kind(field.column)
        if kind is None:
            continue
        schema = {"title": field.meaning, **_schema(field.column)}
        if layer.moment is not None and field.column is layer.moment:
            schema["x-ogc-role"] = "primary-instant"
        found[field.name] = Queryable(field.name, kind, field.column, schema)
    return found


def sortables(layer: Layer, audience: Audience) -> dict[str, Queryable]:
    """Those of which one can come before another."""
    return {name: each for name, each in queryables(layer, audience).items() if each.kind != "geometry"}


def _kind(column: ColumnElement[Any]) -> Kind | None:
    """What its values are; none where they cannot be compared, as JSON."""
    match column.type:
        case Text():
            return "text"
        case Integer() | Float() | Numeric():
            return "number"
        case Boolean():
            return "boolean"
        case DateTime():
            return "instant"
        case _:
            return None


def _schema(column: ColumnElement[Any]) -> dict[str, Any]:
    match column.type:
        case DateTime():
            return {"type": "string", "format": "date-time"}
        case Boolean():
            return {"type": "boolean"}
        case Integer():
            return {"type": "integer"}
        case Float() | Numeric():
            return {"type": "number"}
        case _:
            return {"type": "string"}


def _number(text: str) -> float | None:
    try:
        value = float(text) if text.isascii() and "_" not in text else float("nan")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None

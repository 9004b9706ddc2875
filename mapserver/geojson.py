"""Rows of `layers.query.features` as GeoJSON features."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy.types import DateTime

from layers.catalog.layer import Field
from layers.query.features import told_as_json


def features(rows: Iterable[Mapping[str, Any]], fields: Sequence[Field]) -> list[dict[str, Any]]:
    """One feature a row, for orjson; what is JSON text already goes in as it is."""
    written = [(field.name, isinstance(field.column.type, DateTime)) for field in fields if told_as_json(field)]
    names = [field.name for field in fields]
    found = []
    for row in rows:
        properties = {name: row[name] for name in names}
        for name, is_instant in written:
            text = properties[name]
            if text is not None:
                properties[name] = orjson.Fragment(f'{text[:-1]}Z"' if is_instant else text)
        shape = row["geometry"]
        found.append(
            {
                "type": "Feature",
                "id": row["id"],
                "geometry": None if shape is None else orjson.Fragment(shape),
                "properties": properties,
            }
        )
    return found

"""The forms in which heat cells are answered; all of one question say the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import shapely

from layers.core.errors import BadValue
from layers.geo import hexgrid
from layers.heat import arrow
from layers.heat.outline import outlines
from mapserver.filters import Filters
from mapserver.heat import Heat
from mapserver.negotiate import csv_bytes, json_bytes

Head = dict[str, Any]


def head(heat: Heat, layer: str, res: int, filters: Filters) -> Head:
    """What is told of an answer beside its cells.

    version : of the heat.  as_of : when it was brought up to that.  set : names the list of cells.
    """
    return {
        "layer": layer,
        "from": heat.span.start,
        "to": heat.span.end,
        "res": res,
        "unit": filters.unit,
        "total": heat.value.sum().item(),
        "version": heat.version,
        "as_of": heat.as_of,
        "set": arrow.set_id(heat.cell),
    }


def texts(values: Head) -> dict[str, str]:
    """The same as Arrow's metadata has it: texts alone, what is none left out."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return orjson.dumps(value).decode() if isinstance(value, Mapping) else str(value)


def as_json(heat: Heat, told: Head) -> bytes:
    """Two lists, of ids as hex text and of values."""
    return json_bytes(told | {"cells": hexgrid.to_text(heat.cell), "values": heat.value})


def as_csv(heat: Heat, told: Head) -> bytes:  # noqa: ARG001
    """One line a cell."""
    rows = zip(hexgrid.to_text(heat.cell), heat.value.tolist(), strict=True)
    return csv_bytes(["cell", "value"], rows)


def as_geojson(heat: Heat, told: Head) -> bytes:  # noqa: ARG001
    """Polygons with `cell` and `value`."""
    shapes = shapely.to_geojson(outlines(heat.cell, heat.city)).tolist()
    features = [
        {
            "type": "Feature",
            "id": text,
            "geometry": orjson.Fragment(shape),
            "properties": {"cell": text, "value": value},
        }
        for text, shape, value in zip(hexgrid.to_text(heat.cell), shapes, heat.value.tolist(), strict=True)
    ]
    return json_bytes({"type": "FeatureCollection", "features": features})


def as_arrow(heat: Heat, told: Head) -> bytes:
    """An Arrow stream of ids and values, with the rest as its metadata.

    Raises
    ------
    BadValue : values that are not whole.
    """
    if heat.value.dtype.kind == "f":
        raise BadValue("f: Arrow is for counts; what is not whole comes as JSON, CSV or GeoJSON", parameter="f")
    return arrow.cells_stream(heat.cell, heat.value, texts(told))

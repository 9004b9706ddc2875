"""Heat cells as one Mapbox vector tile, encoded by PostGIS from outlines known here."""

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.core.statement import Statement
from layers.geo import hexgrid
from layers.geo.tiles import Tile
from layers.heat.kernels import Values
from layers.heat.outline import outlines

EXTENT = 4096
BUFFER = 64


def tile(at: Tile, cell: NDArray[np.uint64], value: Values) -> Statement:
    """One value, the bytes of the tile: source-layer `heat` with `cell` (hex text) and `value`.

    A cell belongs to every tile that it touches and carries its id, so a client that reads several tiles counts
    each cell once.
    """
    shapes = outlines(cell)
    box = at.bbox
    touched = shapely.intersects(shapes, shapely.box(box.west, box.south, box.east, box.north))
    return Statement(
        """select ST_AsMVT(cells, 'heat', %(extent)s, 'geom') as body from (
          select cell, value, ST_AsMVTGeom(ST_Transform(ST_GeomFromWKB(outline, 4326), 3857),
            ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s) as geom
          from unnest(%(outlines)s::bytea[], %(cells)s::text[], %(values)s::bigint[]) given (outline, cell, value)
        ) cells where geom is not null""",
        {
            "z": at.z,
            "x": at.x,
            "y": at.y,
            "extent": EXTENT,
            "buffer": BUFFER,
            "outlines": shapely.to_wkb(shapes[touched]).tolist(),
            "cells": hexgrid.to_text(cell[touched]),
            "values": value[touched].tolist(),
        },
    )

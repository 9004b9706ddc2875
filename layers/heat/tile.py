"""Heat cells as one Mapbox vector tile, encoded by PostGIS from outlines known here."""

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.core.statement import Statement
from layers.geo import hexgrid
from layers.geo.tiles import Tile
from layers.heat.outline import outlines
from layers.heat.store.kernels import Values

EXTENT = 4096
BUFFER = 64

_FRAME = (-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
_TILES = 32  # half a megabyte each

# All three lists go in binary: arrays of text would take longer than all the rest.
_ENCODED = """select ST_AsMVT(cells, 'heat', %(extent)s, 'geom') as body
from (
  select cell, value, ST_GeomFromWKB(outline) as geom
  from unnest(%(outlines)b::bytea[], %(cells)b::text[], %(values)b::{number}[]) given (outline, cell, value)
  where outline is not null
) cells"""
_WHOLE = _ENCODED.format(number="bigint")
_FRACTIONAL = _ENCODED.format(number="double precision")

Drawn = bytes | None
"""WKB in units of a tile; none of what does not touch it."""


def tile(at: Tile, cell: NDArray[np.uint64], value: Values, city: shapely.Geometry | None = None) -> Statement:
    """One value, the bytes of the tile: source-layer `heat` with `cell` (hex text) and `value`.

    A cell belongs to every tile that it touches and carries its id, so a client that reads several tiles counts
    each cell once. Without any cell there are no bytes. Merged cells are cut to the city, where it is given.
    """
    mixed = city is not None or (cell.size > 0 and len(np.unique(hexgrid.resolution(cell))) > 1)
    return Statement(
        _FRACTIONAL if value.dtype.kind == "f" else _WHOLE,
        {
            "extent": EXTENT,
            "outlines": _wkb(at, outlines(cell, city)) if mixed else _known(at, cell),
            "cells": hexgrid.to_text(cell),
            "values": value.tolist(),
        },
    )


def _known(at: Tile, cell: NDArray[np.uint64]) -> list[Drawn]:
    """Cells as the tile has them, of which only those are drawn that it has never had before."""
    known = _of_tile(at)
    ids = cell.tolist()
    new = np.array([each for each in ids if each not in known], np.uint64)
    known.update(zip(new.tolist(), _wkb(at, outlines(new)), strict=True))
    return [known[each] for each in ids]


@lru_cache(_TILES)
def _of_tile(_: Tile) -> dict[int, Drawn]:
    """Whole cells of one of the tiles asked for last; what they look like there never changes."""
    return {}


def _wkb(at: Tile, shapes: NDArray[np.object_]) -> list[Drawn]:
    touched = np.flatnonzero(shapely.intersects(shapes, shapely.box(*at.bbox.parts()[0])))
    drawings = np.full(len(shapes), None)
    drawings[touched] = shapely.to_wkb(drawn(at, shapes[touched]))
    return drawings.tolist()


def drawn(at: Tile, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons in whole units of the tile, cut to its buffer, as a vector tile wants them.

    ST_AsMVTGeom would make the same of them, but one by one and in twice the time, and it drops what is too small
    for a unit. Here that is drawn as one unit, so that no tile lacks a cell.

    Parameters
    ----------
    shapes : polygons in lon-lat degrees that touch the tile.
    """
    whole = shapely.transform(shapes, lambda lonlat: np.rint(at.units(lonlat, EXTENT)))
    west, north, east, south = shapely.bounds(whole).T
    over = (west < -BUFFER) | (north < -BUFFER) | (east > EXTENT + BUFFER) | (south > EXTENT + BUFFER)
    whole[over] = shapely.transform(shapely.clip_by_rect(whole[over], *_FRAME), np.rint)
    small = ~shapely.is_valid(whole) | shapely.is_empty(whole)
    whole[small] = _small(shapely.transform(shapes[small], lambda lonlat: at.units(lonlat, EXTENT)))
    return shapely.orient_polygons(whole)  # outer rings clockwise on the screen, where y grows downwards


def _small(fine: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons in units that do not bear rounding of each corner: they have narrow parts, or are below a unit."""
    inside = shapely.intersection(fine, shapely.box(*_FRAME))
    snapped = shapely.set_precision(inside, 1)
    gone = shapely.is_empty(snapped)
    x, y = np.floor(shapely.bounds(inside[gone])[:, :2]).T
    snapped[gone] = shapely.box(x, y, x + 1, y + 1)
    return snapped

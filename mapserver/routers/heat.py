"""Heat layers: what there is, cells as JSON, CSV or GeoJSON, and tiles."""

from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Path, Query, Request, Response

from layers.core.span import Span
from layers.geo import hexgrid
from layers.geo.tiles import heat_resolution
from layers.heat import public, tile
from layers.heat.outline import outlines
from layers.heat.question import zone_bit
from layers.query import summary
from mapserver.build import BUILD
from mapserver.heat import AFilters, AnAsker, Heat
from mapserver.links import ALinks
from mapserver.models.shapes import HeatCatalogShape, HeatCellsShape
from mapserver.negotiate import CSV, GEOJSON, JSON, MVT, chosen, csv_bytes, json_bytes, respond
from mapserver.params import ABbox, ATile, Format, From, To
from mapserver.window import Windows

router = APIRouter(tags=["heat"])

DEFAULT_RES = 9

LayerId = Annotated[str, Path(description="`all` or the code of a zone type")]


@router.get("/heat", response_model=HeatCatalogShape)
async def get_heat(request: Request, asker: AnAsker) -> Response:
    """The heat layers, the time they cover, and how exact they are for the caller."""
    windows = Windows(asker.db, asker.city, asker.clock, asker.audience)
    exact_heat = asker.audience.policy.incidents
    layers: list[dict[str, Any]] = [{"id": "all", "title": {"zh": "全部", "en": "All incidents"}, "colour": None}]
    layers += [
        {"id": zone.code, "title": zone.name.model_dump(), "colour": zone.colour} for zone in asker.city.zone_types
    ]
    body = {
        "layers": layers,
        "span": _span(await windows.covered()),
        "policy": {
            "exact": exact_heat,
            "finest_res": asker.city.base_resolution if exact_heat else public.FINEST_RES,
            "note": _EXACT_NOTE if exact_heat else _PUBLIC_NOTE,
            "bin": None if exact_heat else _span(await windows.newest_bin()),
        },
        "default_window": _span(await windows.default()),
    }
    return respond(request, asker.audience, json_bytes(body), JSON)


_EXACT_NOTE = {"zh": "精确计数；仅限指挥室内部使用", "en": "Exact counts; for the closed command room only"}
_PUBLIC_NOTE = {
    "zh": f"按月发布；每格至少 {public.K} 起，四舍五入到 {public.ROUND_TO}，延迟 {public.DELAY.days} 天",
    "en": f"Published by month: at least {public.K} a cell, rounded to {public.ROUND_TO}, "
    f"{public.DELAY.days} days late",
}


def _span(span: Span | None) -> dict[str, Any] | None:
    return {"from": span.start, "to": span.end} if span else None


@router.get("/heat/{layer}/cells", response_model=HeatCellsShape)
async def get_cells(  # noqa: PLR0913
    request: Request,
    layer: LayerId,
    asker: AnAsker,
    filters: AFilters,
    bbox: ABbox,
    start: From = None,
    to: To = None,
    res: Annotated[int | None, Query(description="H3 resolution; for the public the finest that it gets")] = None,
    f: Format = None,
) -> Response:
    """Cells that have any incident in the half-open span, sorted by id; a cell on the edge of `bbox` is whole."""
    form = chosen(request, f, {"json": JSON, "csv": CSV, "geojson": GEOJSON})
    wanted = DEFAULT_RES if res is None else res
    heat = await asker.heat(layer, start, to, wanted, filters, bbox)
    texts = hexgrid.to_text(heat.cell)
    if form == "csv":
        rows = zip(texts, heat.value.tolist(), strict=True)
        return respond(request, asker.audience, csv_bytes(["cell", "value"], rows), CSV)
    if form == "geojson":
        return respond(request, asker.audience, json_bytes(_geojson(heat, texts)), GEOJSON)
    fresh = await asker.db.value(asker.audience, summary.layer_version("incidents"))
    body = {
        "layer": layer,
        "from": heat.span.start,
        "to": heat.span.end,
        "res": wanted if asker.audience.policy.incidents else public.FINEST_RES,
        "unit": "incidents" if filters.weight == "count" else "severity",
        "total": int(heat.value.sum()),
        "version": fresh or 0,
        "cells": texts,
        "values": heat.value,
    }
    return respond(request, asker.audience, json_bytes(body), JSON)


def _geojson(heat: Heat, texts: list[str]) -> object:
    shapes = shapely.to_geojson(outlines(heat.cell)).tolist()
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": text,
                "geometry": orjson.Fragment(shape),
                "properties": {"cell": text, "value": value},
            }
            for text, shape, value in zip(texts, shapes, heat.value.tolist(), strict=True)
        ],
    }


@router.get("/heat/{layer}.json")
async def get_heat_tilejson(request: Request, layer: LayerId, asker: AnAsker, links: ALinks) -> Response:
    """TileJSON 3.0 of a heat layer."""
    zone_bit(layer, asker.city)
    body = {
        "tilejson": "3.0.0",
        "name": f"Heat: {layer}",
        "version": BUILD,
        "attribution": asker.city.attribution,
        "tiles": [links.href(f"/heat/{layer}") + "/{z}/{x}/{y}.mvt"],
        "bounds": asker.city.extent,
        "minzoom": 0,
        "maxzoom": 18,
        "vector_layers": [{"id": "heat", "fields": {"cell": "H3 cell, hex text", "value": "incidents"}}],
    }
    return respond(request, asker.audience, json_bytes(body), JSON)


@router.get("/heat/{layer}/{z}/{x}/{y}.mvt", response_class=Response, responses={204: {"description": "empty"}})
async def get_heat_tile(
    request: Request,
    layer: LayerId,
    at: ATile,
    asker: AnAsker,
    filters: AFilters,
    start: From = None,
    to: To = None,
) -> Response:
    """Heat cells that touch the tile, at the resolution of its zoom; 204 where there are none."""
    res = heat_resolution(at.z, asker.city.base_resolution)
    heat = await asker.heat(layer, start, to, res, filters, at.bbox)
    if heat.cell.size == 0:
        return Response(status_code=204)
    body = await asker.db.value(asker.audience, tile.tile(at, heat.cell, heat.value))
    return respond(request, asker.audience, bytes(body), MVT) if body else Response(status_code=204)

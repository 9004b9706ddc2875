"""Vector tiles of the layers, with their TileJSON."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from layers.catalog.registry import layer_for
from layers.core.errors import BadValue
from layers.query import tiles
from layers.query.selection import Selection
from mapserver.build import BUILD
from mapserver.deps import ACity, AClock, AnAudience, Db
from mapserver.links import ALinks
from mapserver.negotiate import JSON, MVT, json_bytes, respond
from mapserver.params import AnInterval, ATile

router = APIRouter(tags=["tiles"])

LayerId = Annotated[str, Path(description="id of a layer")]


@router.get("/tiles/{layer_id}.json")
async def get_tilejson(
    request: Request, layer_id: LayerId, city: ACity, audience: AnAudience, links: ALinks
) -> Response:
    """TileJSON 3.0 of a layer."""
    layer = layer_for(layer_id, audience)
    fields = {
        field.name: f"{field.what} ({field.unit})" if field.unit else field.what
        for field in layer.fields_for(audience)
    }
    vector_layers: list[dict[str, Any]] = [{"id": layer.id, "fields": fields}]
    if layer.label:
        vector_layers.append({"id": f"{layer.id.removesuffix('s')}_labels", "fields": fields})
    body = {
        "tilejson": "3.0.0",
        "name": layer.title.en,
        "description": layer.description,
        "version": BUILD,
        "attribution": city.attribution,
        "tiles": [links.href(f"/tiles/{layer.id}") + "/{z}/{x}/{y}.mvt"],
        "bounds": city.extent,
        "minzoom": layer.zoom.low,
        "maxzoom": layer.zoom.high,
        "vector_layers": vector_layers,
    }
    return respond(request, audience, json_bytes(body), JSON)


@router.get(
    "/tiles/{layer_id}/{z}/{x}/{y}.mvt", response_class=Response, responses={204: {"description": "empty"}}
)
async def get_tile(  # noqa: PLR0913
    request: Request,
    layer_id: LayerId,
    at: ATile,
    db: Db,
    city: ACity,
    audience: AnAudience,
    clock: AClock,
    interval: AnInterval,
) -> Response:
    """One vector tile; 204 where the layer has nothing to draw."""
    layer = layer_for(layer_id, audience)
    if not layer.zoom.low <= at.z <= layer.zoom.high:
        return Response(status_code=204)
    selection = Selection(layer, audience, clock.now(), interval)
    found = await db.row(audience, tiles.tile(selection, at, city.deepest_level(at.z)))
    if found is None or found["features"] == 0:
        return Response(status_code=204)
    if found["features"] > tiles.MOST_FEATURES:
        hint = "zoom in or narrow datetime" if layer.dated else "zoom in"
        raise BadValue(f"more than {tiles.MOST_FEATURES} features in one tile; {hint}", layer=layer.id)
    return respond(request, audience, bytes(found["body"]), MVT)

"""Vector tiles of the layers, with their TileJSON."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from layers.catalog.registry import layer_for
from layers.core.errors import BadValue
from layers.query import tiles
from layers.query.selection import Selection
from mapserver.build import BUILD
from mapserver.cache.entry import Made
from mapserver.deps import ACaller, ACity, AClock, AnAudience, Db
from mapserver.links import ALinks
from mapserver.negotiate import JSON, MVT, json_bytes, respond
from mapserver.params import AnInterval, ATile, Version

router = APIRouter(tags=["tiles"])

LayerId = Annotated[str, Path(description="id of a layer")]


@router.get("/tiles/{layer_id}.json")
async def get_tilejson(
    request: Request, layer_id: LayerId, city: ACity, audience: AnAudience, links: ALinks, caller: ACaller
) -> Response:
    """TileJSON 3.0 of a layer; its tiles hold for ever, for a change gives them other URLs."""
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
        "tiles": [links.href(f"/tiles/{layer.id}") + f"/{{z}}/{{x}}/{{y}}.mvt?v={caller.version(layer.id)}"],
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
    layer_id: LayerId,
    at: ATile,
    db: Db,
    city: ACity,
    caller: ACaller,
    clock: AClock,
    interval: AnInterval,
    v: Version = None,  # noqa: ARG001 - the cache reads it
) -> Response:
    """One vector tile; 204 where the layer has nothing to draw."""
    audience = caller.audience
    layer = layer_for(layer_id, audience)
    if not layer.zoom.low <= at.z <= layer.zoom.high:
        return Response(status_code=204)

    async def make() -> Made:
        selection = Selection(layer, audience, clock.now(), interval)
        found = await db.row(audience, tiles.tile(selection, at, city.deepest_level(at.z)))
        if found is None or found["features"] == 0:
            return Made(None, MVT)
        if found["features"] > tiles.MOST_FEATURES:
            hint = "zoom in or narrow datetime" if layer.dated else "zoom in"
            raise BadValue(f"more than {tiles.MOST_FEATURES} features in one tile; {hint}", layer=layer.id)
        return Made(bytes(found["body"]), MVT)

    return await caller.answer(layer.id, make)

"""Vector tiles of the layers by column and row, with their TileJSON."""

from typing import Any

from fastapi import APIRouter, Request, Response

from layers.catalog.layer import COUNT, Field, Layer
from layers.catalog.registry import layer_for
from layers.core.audience import Audience
from layers.query import tiles
from mapserver.deps import ACaller, ACity, AnAudience
from mapserver.links import ALinks
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.params import ATile, LayerId
from mapserver.tiles import ATiler

router = APIRouter(tags=["tiles"])


def _vector_layers(layer: Layer, audience: Audience) -> list[dict[str, Any]]:
    """The source-layers of a layer's tiles, each with its zooms and its fields."""
    zooms = {"minzoom": layer.zoom.low, "maxzoom": layer.zoom.high}
    fields = {field.name: _meaning(field, layer) for field in layer.fields_for(audience)}
    merged = {COUNT: f"how many points it stands for, below zoom {layer.zoom.whole}"}
    own = fields | merged if layer.shape == "point" else fields
    found = [{"id": layer.id, "description": layer.description, "fields": own, **zooms}]
    if layer.label:
        found.append({"id": layer.label_id, "description": "points for labels", "fields": fields, **zooms})
    if layer.zoom.low < layer.zoom.whole:
        found.append(
            {
                "id": tiles.SUMMARY,
                "description": "there where a tile draws fewer features than it has",
                "fields": {"features": "how many the tile has", "drawn": "how many stand for them"},
                "minzoom": layer.zoom.low,
                "maxzoom": layer.zoom.whole - 1,
            }
        )
    return found


def _meaning(field: Field, layer: Layer) -> str:
    return f"{field.meaning}; from zoom {field.from_zoom}" if field.from_zoom > layer.zoom.low else field.meaning


@router.get("/tiles/{layer_id}.json")
async def get_tilejson(
    request: Request, layer_id: LayerId, city: ACity, audience: AnAudience, links: ALinks, caller: ACaller
) -> Response:
    """TileJSON 3.0 of a layer; its tiles hold for ever, for a change gives them other URLs."""
    layer = layer_for(layer_id, audience)
    body = {
        "tilejson": "3.0.0",
        "name": layer.title.en,
        "description": city.described(layer.id, layer.description),
        "version": f"1.{caller.number(layer.id)}.0",
        "attribution": city.attribution,
        "tiles": [links.href(f"/tiles/{layer.id}") + f"/{{z}}/{{x}}/{{y}}.mvt?v={caller.version(layer.id)}"],
        "bounds": city.extent,
        "minzoom": layer.zoom.low,
        "maxzoom": layer.zoom.high,
        "vector_layers": _vector_layers(layer, audience),
    }
    return respond(request, audience, json_bytes(body), JSON)


@router.get(
    "/tiles/{layer_id}/{z}/{x}/{y}.mvt", response_class=Response, responses={204: {"description": "empty"}}
)
async def get_tile(layer_id: LayerId, at: ATile, tiler: ATiler) -> Response:
    """One vector tile; 204 where the layer has nothing to draw."""
    return await tiler.answer(layer_for(layer_id, tiler.caller.audience), at)

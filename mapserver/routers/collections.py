"""Collections: what there is, where and when, and how to get at it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from layers.catalog.layer import Layer
from layers.catalog.registry import layer_for, layers_for
from layers.geo.crs import CRS84
from layers.query import features
from layers.query.selection import Selection
from mapserver.deps import ACity, AClock, AnAudience, Db
from mapserver.links import ALinks, Links
from mapserver.negotiate import GEOJSON, JSON
from mapserver.pages import SPOKEN, document
from mapserver.params import Format, LayerId

router = APIRouter(tags=["features"])

_REL = "http://www.opengis.net/def/rel/ogc/1.0"


def _collection(
    layer: Layer, extent: Sequence[float], moments: Mapping[str, Any] | None, links: Links
) -> dict[str, Any]:
    at = f"/collections/{layer.id}"
    covers: dict[str, Any] = {"spatial": {"bbox": [extent], "crs": CRS84.uri}}
    if layer.dated:
        covers["temporal"] = {"interval": [[moments["first"], moments["last"]] if moments else [None, None]]}
    return {
        "id": layer.id,
        "title": layer.title.en,
        "title_zh": layer.title.zh,
        "description": layer.description,
        "itemType": "feature",
        "extent": covers,
        "crs": [CRS84.uri],
        "storageCrs": CRS84.uri,
        "links": [
            links.link("self", JSON, layer.title.en, links.href(at)),
            links.link("items", GEOJSON, f"{layer.title.en} as GeoJSON", links.href(f"{at}/items", f="geojson")),
            links.link("items", "text/csv", f"{layer.title.en} as CSV", links.href(f"{at}/items", f="csv")),
            links.link("tiles", JSON, f"{layer.title.en} as TileJSON", links.href(f"/tiles/{layer.id}.json")),
            links.link(f"{_REL}/tilesets-vector", JSON, f"{layer.title.en} as tiles", links.href(f"{at}/tiles")),
        ],
    }


@router.get("/collections", dependencies=[SPOKEN])
async def get_collections(
    request: Request,
    db: Db,
    city: ACity,
    audience: AnAudience,
    clock: AClock,
    links: ALinks,
    f: Format = None,
) -> Response:
    """The collections that the caller may read."""
    found = []
    for layer in layers_for(audience):
        moments = await db.row(audience, features.extent(Selection(layer, audience, clock.now())))
        found.append(_collection(layer, city.extent, moments, links))
    self_link = links.link("self", JSON, "Collections", links.href("/collections"))
    return document(request, audience, f, "collections", {"links": [self_link], "collections": found})


@router.get("/collections/{layer_id}", dependencies=[SPOKEN])
async def get_collection(  # noqa: PLR0913
    request: Request,
    layer_id: LayerId,
    db: Db,
    city: ACity,
    audience: AnAudience,
    clock: AClock,
    links: ALinks,
    f: Format = None,
) -> Response:
    """One collection."""
    layer = layer_for(layer_id, audience)
    moments = await db.row(audience, features.extent(Selection(layer, audience, clock.now())))
    return document(request, audience, f, "collection", _collection(layer, city.extent, moments, links))

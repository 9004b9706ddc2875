"""Collections: what there is, where and when, and how to get at it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from layers.catalog.city import City
from layers.catalog.layer import Layer
from layers.catalog.registry import layer_for, layers_for
from layers.core.clock import Clock
from layers.core.db import Database
from layers.geo import crs
from layers.geo.crs import CRS84
from layers.query import features
from layers.query.queryable import Queryable, queryables, sortables
from layers.query.selection import Selection
from mapserver.cache.caller import Caller
from mapserver.deps import ACaller, ACity, AClock, AnAudience, Db, spend
from mapserver.formats.registry import FORMATS
from mapserver.links import OGC, ALinks, Links
from mapserver.negotiate import GEOJSON, HTML, JSON, SCHEMA
from mapserver.pages import SPOKEN, document
from mapserver.params import Format, LayerId
from mapserver.styles import STYLE

router = APIRouter(tags=["features"])

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def _collection(layer: Layer, city: City, moments: Mapping[str, Any] | None, links: Links) -> dict[str, Any]:
    at = f"/collections/{layer.id}"
    covers: dict[str, Any] = {"spatial": {"bbox": [city.extent], "crs": CRS84.uri}}
    if layer.dated:
        covers["temporal"] = {"interval": [[moments["first"], moments["last"]] if moments else [None, None]]}
    return {
        "id": layer.id,
        "title": layer.title.en,
        "title_zh": layer.title.zh,
        "description": city.described(layer.id, layer.description),
        "itemType": "feature",
        "extent": covers,
        "crs": [each.uri for each in crs.offered(city.bbox)],
        "storageCrs": CRS84.uri,
        "links": [
            links.link("self", JSON, layer.title.en, links.href(at)),
            links.link("alternate", HTML, f"{layer.title.en} as a page", links.href(at, f="html")),
            links.link("items", GEOJSON, f"{layer.title.en} as GeoJSON", links.href(f"{at}/items", f="geojson")),
            *(
                links.link(
                    "items",
                    file.media_type,
                    f"{layer.title.en} as {file.title}",
                    links.href(f"{at}/items", f=name),
                )
                for name, file in FORMATS.items()
            ),
            links.link(f"{OGC}/queryables", SCHEMA, "What to filter by", links.href(f"{at}/queryables")),
            links.link(f"{OGC}/sortables", SCHEMA, "What to sort by", links.href(f"{at}/sortables")),
            links.link("tiles", JSON, f"{layer.title.en} as TileJSON", links.href(f"/tiles/{layer.id}.json")),
            links.link(f"{OGC}/tilesets-vector", JSON, f"{layer.title.en} as tiles", links.href(f"{at}/tiles")),
            links.link(
                f"{OGC}/styles", STYLE, f"{layer.title.en}: style", links.href(f"/styles/{layer.id}", f="json")
            ),
            links.link(f"{OGC}/legend", JSON, f"{layer.title.en}: legend", links.href(f"/legend/{layer.id}")),
        ],
    }


async def _moments(db: Database, layer: Layer, caller: Caller, clock: Clock) -> Mapping[str, Any] | None:
    """First and last moment of a layer's features."""
    statement = features.extent(Selection(layer, caller.audience, clock.now()))
    return await caller.fact(layer.id, "extent", partial(db.row, caller.audience, statement))


@router.get("/collections", dependencies=[SPOKEN, Depends(spend)])
async def get_collections(
    request: Request,
    db: Db,
    city: ACity,
    caller: ACaller,
    clock: AClock,
    links: ALinks,
    f: Format = None,
) -> Response:
    """The collections that the caller may read."""
    found = []
    for layer in layers_for(caller.audience):
        moments = await _moments(db, layer, caller, clock)
        found.append(_collection(layer, city, moments, links))
    here = [
        links.link("self", JSON, "Collections", links.href("/collections")),
        links.link("alternate", HTML, "Collections as a page", links.href("/collections", f="html")),
    ]
    return document(request, caller.audience, f, "collections", {"links": here, "collections": found})


@router.get("/collections/{layer_id}", dependencies=[SPOKEN, Depends(spend)])
async def get_collection(  # noqa: PLR0913
    request: Request,
    layer_id: LayerId,
    db: Db,
    city: ACity,
    caller: ACaller,
    clock: AClock,
    links: ALinks,
    f: Format = None,
) -> Response:
    """One collection."""
    layer = layer_for(layer_id, caller.audience)
    moments = await _moments(db, layer, caller, clock)
    return document(request, caller.audience, f, "collection", _collection(layer, city, moments, links))


@router.get("/collections/{layer_id}/queryables", dependencies=[SPOKEN])
async def get_queryables(
    request: Request, layer_id: LayerId, audience: AnAudience, links: ALinks, f: Format = None
) -> Response:
    """What the features of a collection can be filtered by, as JSON Schema."""
    layer = layer_for(layer_id, audience)
    body = _schema(layer, "queryables", queryables(layer, audience), links)
    return document(request, audience, f, "queryables", body, SCHEMA)


@router.get("/collections/{layer_id}/sortables", dependencies=[SPOKEN])
async def get_sortables(
    request: Request, layer_id: LayerId, audience: AnAudience, links: ALinks, f: Format = None
) -> Response:
    """What the features of a collection can be sorted by, as JSON Schema."""
    layer = layer_for(layer_id, audience)
    body = _schema(layer, "sortables", sortables(layer, audience), links)
    return document(request, audience, f, "queryables", body, SCHEMA)


def _schema(layer: Layer, what: str, names: Mapping[str, Queryable], links: Links) -> dict[str, Any]:
    return {
        "$schema": _DRAFT,
        "$id": links.href(f"/collections/{layer.id}/{what}"),
        "type": "object",
        "title": layer.title.en,
        "additionalProperties": False,
        "properties": {name: each.schema for name, each in names.items()},
    }

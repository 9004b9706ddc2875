"""Tile sets of the collections: OGC API Tiles, whose tiles are named by row before column."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from layers.catalog.layer import Layer
from layers.catalog.registry import layer_for, layers_for
from layers.core.audience import Audience
from layers.core.errors import NotFound
from layers.geo.crs import CRS84
from layers.geo.tiles import Limits, Tile
from mapserver import matrices
from mapserver.deps import ACity, AnAudience
from mapserver.links import OGC, ALinks, Links
from mapserver.negotiate import JSON, MVT, chosen
from mapserver.pages import SPOKEN, document
from mapserver.params import Format, LayerId, Whole
from mapserver.tiles import ATiler

router = APIRouter(tags=["tiles"])

_DIMENSIONS = {"point": 0, "line": 1, "polygon": 2}

_MATRIX_SET = f"{OGC}/tiling-scheme"


async def _matrix_set(tms: Annotated[str, Path(description="id of a tile matrix set")]) -> str:
    if tms != matrices.ID:
        raise NotFound(f"there is no tile matrix set '{tms[:40]}'", known=[matrices.ID])
    return tms


AMatrixSet = Annotated[str, Depends(_matrix_set)]


async def _tile(
    z: Annotated[Whole, Path(description="tile matrix, the zoom")],
    row: Annotated[Whole, Path(description="row from the north")],
    column: Annotated[Whole, Path(description="column from the west")],
) -> Tile:
    return Tile.at(z, column, row)


@router.get("/tileMatrixSets", operation_id="getTileMatrixSetsList", dependencies=[SPOKEN])
async def get_tile_matrix_sets(
    request: Request, audience: AnAudience, links: ALinks, f: Format = None
) -> Response:
    """The tile matrix sets that tiles come in."""
    href = links.href(f"/tileMatrixSets/{matrices.ID}")
    one = {
        "id": matrices.ID,
        "title": matrices.TITLE,
        "uri": matrices.URI,
        "crs": matrices.CRS,
        "links": [links.link("self", JSON, matrices.TITLE, href)],
    }
    body = {
        "links": [links.link("self", JSON, "Tile matrix sets", links.href("/tileMatrixSets"))],
        "tileMatrixSets": [one],
    }
    return document(request, audience, f, "tile_matrix_sets", body)


@router.get("/tileMatrixSets/{tms}", operation_id="getTileMatrixSet", dependencies=[SPOKEN])
async def get_tile_matrix_set(
    request: Request, tms: AMatrixSet, audience: AnAudience, links: ALinks, f: Format = None
) -> Response:
    """One tile matrix set: where its tiles lie, and how large they are."""
    self_link = links.link("self", JSON, matrices.TITLE, links.href(f"/tileMatrixSets/{tms}"))
    return document(request, audience, f, "tile_matrix_set", matrices.web_mercator_quad() | {"links": [self_link]})


@router.get("/tiles", operation_id="getTileSets", dependencies=[SPOKEN])
async def get_all_tilesets(request: Request, audience: AnAudience, links: ALinks, f: Format = None) -> Response:
    """The tile sets of all collections that the caller may read."""
    body = {
        "links": [links.link("self", JSON, "Vector tiles", links.href("/tiles"))],
        "tilesets": [_entry(layer, links) for layer in layers_for(audience)],
    }
    return document(request, audience, f, "tiles", body)


@router.get(
    "/collections/{layer_id}/tiles",
    operation_id="collections.collection.vector.getTileSetsList",
    dependencies=[SPOKEN],
)
async def get_tilesets(
    request: Request, layer_id: LayerId, audience: AnAudience, links: ALinks, f: Format = None
) -> Response:
    """The tile sets of a collection."""
    layer = layer_for(layer_id, audience)
    here = links.href(f"/collections/{layer.id}/tiles")
    body = {
        "links": [
            links.link("self", JSON, f"{layer.title.en} as tiles", here),
            links.link("collection", JSON, layer.title.en, links.href(f"/collections/{layer.id}")),
        ],
        "tilesets": [_entry(layer, links)],
    }
    return document(request, audience, f, "tilesets", body)


@router.get(
    "/collections/{layer_id}/tiles/{tms}",
    operation_id="collections.collection.vector.getTileSet",
    dependencies=[SPOKEN],
)
async def get_tileset(
    request: Request,
    layer_id: LayerId,
    tms: AMatrixSet,
    city: ACity,
    audience: AnAudience,
    links: ALinks,
    f: Format = None,
) -> Response:
    """One tile set: which tiles there are, how to name them, and what is in them."""
    layer = layer_for(layer_id, audience)
    here = links.href(f"/collections/{layer.id}/tiles/{tms}")
    west, south, east, north = city.extent
    tile = links.link("item", MVT, "Tiles", here + "/{tileMatrix}/{tileRow}/{tileCol}") | {"templated": True}
    zooms = range(layer.zoom.low, layer.zoom.high + 1)
    body = _entry(layer, links) | {
        "description": city.described(layer.id, layer.description),
        "attribution": city.attribution,
        "links": [
            links.link("self", JSON, f"{layer.title.en} as tiles", here),
            links.link(_MATRIX_SET, JSON, matrices.TITLE, links.href(f"/tileMatrixSets/{tms}")),
            links.link("collection", JSON, layer.title.en, links.href(f"/collections/{layer.id}")),
            links.link("describedby", JSON, "TileJSON", links.href(f"/tiles/{layer.id}.json")),
            tile,
        ],
        "tileMatrixSetLimits": [_limits(Limits.of(city.bbox, z)) for z in zooms],
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84.uri},
        "layers": [_layer(layer, audience)],
    }
    return document(request, audience, f, "tileset", body)


@router.get(
    "/collections/{layer_id}/tiles/{tms}/{z}/{row}/{column}",
    operation_id="collections.collection.vector.getTile",
    response_class=Response,
    responses={204: {"description": "empty"}},
)
async def get_tileset_tile(
    request: Request,
    layer_id: LayerId,
    _tms: AMatrixSet,
    at: Annotated[Tile, Depends(_tile)],
    city: ACity,
    tiler: ATiler,
    f: Format = None,
) -> Response:
    """One vector tile of the set; 204 where the collection has nothing to draw."""
    chosen(request, f, {"mvt": MVT})
    layer = layer_for(layer_id, tiler.caller.audience)
    if not layer.zoom.low <= at.z <= layer.zoom.high or at not in Limits.of(city.bbox, at.z):
        raise NotFound(f"tile {at.z}/{at.y}/{at.x} is outside the limits of the tile set", layer=layer.id)
    return await tiler.answer(layer, at)


def _entry(layer: Layer, links: Links) -> dict[str, Any]:
    """A tile set as lists of them have it."""
    here = links.href(f"/collections/{layer.id}/tiles/{matrices.ID}")
    return {
        "title": layer.title.en,
        "title_zh": layer.title.zh,
        "dataType": "vector",
        "crs": matrices.CRS,
        "tileMatrixSetId": matrices.ID,
        "tileMatrixSetURI": matrices.URI,
        "links": [
            links.link("self", JSON, f"{layer.title.en} as tiles", here),
            links.link(_MATRIX_SET, JSON, matrices.TITLE, links.href(f"/tileMatrixSets/{matrices.ID}")),
        ],
    }


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "tileMatrix": str(limits.z),
        "minTileRow": limits.first_y,
        "maxTileRow": limits.last_y,
        "minTileCol": limits.first_x,
        "maxTileCol": limits.last_x,
    }


def _layer(layer: Layer, audience: Audience) -> dict[str, Any]:
    """What is in the tiles, as the standard describes it."""
    found: dict[str, Any] = {
        "id": layer.id,
        "title": layer.title.en,
        "description": layer.description,
        "dataType": "vector",
        "minTileMatrix": str(layer.zoom.low),
        "maxTileMatrix": str(layer.zoom.high),
        "propertiesSchema": {
            "type": "object",
            "properties": {field.name: {"description": field.meaning} for field in layer.fields_for(audience)},
        },
    }
    if layer.shape in _DIMENSIONS:
        found["geometryDimension"] = _DIMENSIONS[layer.shape]
    return found

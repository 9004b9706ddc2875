"""Tiles of a layer for one caller, by whatever path a client names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Response

from layers.catalog.city import City
from layers.catalog.layer import Layer
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import BadValue
from layers.geo.tiles import Tile
from layers.query import tiles
from layers.query.interval import Interval
from layers.query.selection import Selection
from mapserver.cache.caller import Caller
from mapserver.cache.entry import Made
from mapserver.deps import ACaller, ACity, AClock, Db
from mapserver.negotiate import MVT
from mapserver.params import AnInterval, Version

FEATURES, DRAWN = "X-Tile-Features", "X-Tile-Drawn"
"""Headers of a tile that draws fewer features than it has: how many it has, and how many stand for them."""


async def layer_tile(
    db: Database, city: City, selection: Selection, at: Tile, chosen: Sequence[str] | None = None
) -> Made:
    """One tile, made anew; without content where the layer has nothing there.

    Raises
    ------
    BadValue : a chosen property that is not there, or more features than a tile may have.
    """
    layer = selection.layer
    found = await db.row(selection.audience, tiles.tile(selection, at, city.deepest_level(at.z), chosen))
    if found is None or found["features"] == 0:
        return Made(None, MVT)
    if found["too_many"]:
        hint = "zoom in or narrow datetime" if layer.dated else "zoom in"
        raise BadValue(f"too many features in one tile; {hint}", layer=layer.id, tile=f"{at.z}/{at.x}/{at.y}")
    fewer = found["drawn"] < found["features"]
    said = {FEATURES: str(found["features"]), DRAWN: str(found["drawn"])} if fewer else {}
    return Made(bytes(found["body"]), MVT, said)


@dataclass(frozen=True)
class Tiler:
    """Answers one request for a tile."""

    db: Database
    city: City
    clock: Clock
    caller: Caller
    interval: Interval | None
    chosen: tuple[str, ...] | None

    async def answer(self, layer: Layer, at: Tile) -> Response:
        """The tile, kept or made; 204 where the layer has nothing there.

        Raises
        ------
        BadValue, TooMany, Unavailable : as `layer_tile` and the cache say.
        """
        if not layer.zoom.low <= at.z <= layer.zoom.high:
            return Response(status_code=204)

        async def make() -> Made:
            selection = Selection(layer, self.caller.audience, self.clock.now(), self.interval)
            return await layer_tile(self.db, self.city, selection, at, self.chosen)

        return await self.caller.answer(layer.id, make)


async def _tiler(
    db: Db,
    city: ACity,
    clock: AClock,
    caller: ACaller,
    interval: AnInterval,
    properties: Annotated[
        str | None,
        Query(description="names of the properties that features carry, in place of the zoom's", max_length=1000),
    ] = None,
    v: Version = None,  # noqa: ARG001 - the cache reads it
) -> Tiler:
    chosen = None if properties is None else tuple(filter(None, properties.split(",")))
    return Tiler(db, city, clock, caller, interval, chosen)


ATiler = Annotated[Tiler, Depends(_tiler)]

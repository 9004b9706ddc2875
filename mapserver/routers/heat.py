"""Heat layers: what there is, cells in several forms, frames for playback, and tiles."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from layers.core.errors import Conflict
from layers.core.span import Span
from layers.geo.tiles import heat_resolution
from layers.heat import arrow, public, tile
from layers.heat.question import check_layer
from mapserver import cells
from mapserver.cache.entry import Made
from mapserver.deps import ACaller, spend
from mapserver.filters import AFilters
from mapserver.heat import MOST_STEPS, AnAsker, Asker
from mapserver.links import ALinks
from mapserver.models.shapes import HeatCatalogShape, HeatCellsShape
from mapserver.negotiate import ARROW, CSV, GEOJSON, JSON, MVT, chosen, json_bytes, respond
from mapserver.params import ABbox, ATile, Format, From, To, Version, Whole
from mapserver.versions import HEAT
from mapserver.window import Windows

router = APIRouter(tags=["heat"], dependencies=[Depends(spend)])

DEFAULT_RES = 9

_FORMS = {
    "json": (JSON, cells.as_json),
    "csv": (CSV, cells.as_csv),
    "geojson": (GEOJSON, cells.as_geojson),
    "arrow": (ARROW, cells.as_arrow),
}

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
            **({"bin": None, "share": None} if exact_heat else await _product(windows)),
        },
        "default_window": _span(await windows.default()),
    }
    return respond(request, asker.audience, json_bytes(body), JSON)


async def _product(windows: Windows) -> dict[str, Any]:
    """The newest published bin, and the percent of its incidents that are shown."""
    newest = await windows.newest_bin()
    if newest is None:
        return {"bin": None, "share": None}
    shown = public.shown(newest.start, newest.end, windows.clock.now())
    return {"bin": _span(newest), "share": await windows.db.value(windows.audience, shown)}


_EXACT_NOTE = {"zh": "精确计数；仅限指挥室内部使用", "en": "Exact counts; for the closed command room only"}
_PUBLIC_NOTE = {
    "zh": f"按月发布；每格至少 {public.K} 起，四舍五入到 {public.ROUND_TO}，延迟 {public.DELAY.days} 天",
    "en": f"Published by month: at least {public.K} a cell, rounded to {public.ROUND_TO}, "
    f"{public.DELAY.days} days late",
}


def _span(span: Span | None) -> dict[str, Any] | None:
    return {"from": span.start, "to": span.end} if span else None


Resolution = Annotated[Whole | None, Query(description="H3 resolution; for the public the finest that it gets")]


@router.get("/heat/{layer}/cells", response_model=HeatCellsShape)
async def get_cells(  # noqa: PLR0913
    request: Request,
    layer: LayerId,
    asker: AnAsker,
    filters: AFilters,
    bbox: ABbox,
    start: From = None,
    to: To = None,
    res: Resolution = None,
    f: Format = None,
) -> Response:
    """Cells that have any incident in the half-open span of whole seconds; one on the edge of `bbox` is whole."""
    form = chosen(request, f, {short: media for short, (media, _) in _FORMS.items()})
    wanted = DEFAULT_RES if res is None else res
    heat = await asker.heat(layer, start, to, wanted, filters, bbox)
    head = cells.head(heat, layer, wanted if asker.audience.policy.incidents else public.FINEST_RES, filters)
    if filters.polygon is not None:
        head["polygon"] = {"by": "centre", "res": asker.city.base_resolution}
    media, write = _FORMS[form]
    return respond(request, asker.audience, write(heat, head), media)


@router.get("/heat/{layer}/frames", response_class=Response)
async def get_frames(  # noqa: PLR0913
    request: Request,
    layer: LayerId,
    asker: AnAsker,
    filters: AFilters,
    bbox: ABbox,
    steps: Annotated[int, Query(description="equal steps that the span is cut into", ge=1, le=MOST_STEPS)],
    start: From = None,
    to: To = None,
    res: Resolution = None,
    cell_set: Annotated[
        str | None, Query(alias="set", description="the set of cells that the caller has", max_length=40)
    ] = None,
    scale_top: Annotated[
        float | None, Query(description="value that the last step of the scale stands for", gt=0)
    ] = None,
    values: Annotated[Literal["quantised", "exact"], Query(description="256 steps, or uint32")] = "quantised",
) -> Response:
    """An Arrow stream of one batch a step: a value for each cell that the same question has for the whole span.

    Raises
    ------
    Conflict : those are no longer the cells of `set`; ask for the cells anew.
    """
    wanted = DEFAULT_RES if res is None else res
    frames = await asker.frames(layer, start, to, wanted, filters, bbox, steps)
    head = cells.head(frames.whole, layer, wanted, filters) | {"steps": steps}
    if cell_set is not None and cell_set != head["set"]:
        raise Conflict(
            "set: the heat has other cells by now; ask for the cells anew", parameter="set", set=head["set"]
        )
    body = arrow.frames_stream(frames.steps, cells.texts(head), scale_top, exact=values == "exact")
    return respond(request, asker.audience, body, ARROW)


@router.get("/heat/{layer}.json")
async def get_heat_tilejson(
    request: Request, layer: LayerId, asker: AnAsker, links: ALinks, caller: ACaller
) -> Response:
    """TileJSON 3.0 of a heat layer; its tiles hold for ever, for a change gives them other URLs."""
    check_layer(layer, asker.city)
    body = {
        "tilejson": "3.0.0",
        "name": f"Heat: {layer}",
        "version": f"1.{caller.number(_subject(asker))}.0",
        "attribution": asker.city.attribution,
        "tiles": [links.href(f"/heat/{layer}") + f"/{{z}}/{{x}}/{{y}}.mvt?v={caller.version(_subject(asker))}"],
        "bounds": asker.city.extent,
        "minzoom": 0,
        "maxzoom": 18,
        "vector_layers": [{"id": "heat", "fields": {"cell": "H3 cell, hex text", "value": "incidents"}}],
    }
    return respond(request, asker.audience, json_bytes(body), JSON)


@router.get("/heat/{layer}/{z}/{x}/{y}.mvt", response_class=Response, responses={204: {"description": "empty"}})
async def get_heat_tile(  # noqa: PLR0913
    layer: LayerId,
    at: ATile,
    asker: AnAsker,
    caller: ACaller,
    filters: AFilters,
    start: From = None,
    to: To = None,
    v: Version = None,  # noqa: ARG001 - the cache reads it
) -> Response:
    """Heat cells that touch the tile, at the resolution of its zoom; 204 where there are none."""

    async def make() -> Made:
        res = heat_resolution(at.z, asker.city.base_resolution)
        heat = await asker.heat(layer, start, to, res, filters, at.bbox)
        if heat.cell.size == 0:
            return Made(None, MVT)
        body = await asker.db.value(asker.audience, tile.tile(at, heat.cell, heat.value, heat.city))
        return Made(bytes(body) if body else None, MVT)

    return await caller.answer(_subject(asker), make, cost=0)  # the router has been paid


def _subject(asker: Asker) -> str:
    """What the caller's heat is of: the counts, or the published product."""
    return HEAT if asker.audience.policy.incidents else public.LAYER

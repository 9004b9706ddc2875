"""What a request wants of the features of a layer: which of them, in which order, and how they are told."""

from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Depends, Query

from layers.catalog.layer import Field, Layer
from layers.catalog.registry import LAYERS, layer_for
from layers.core.audience import Audience, Role
from layers.core.errors import BadValue
from layers.geo import crs as systems
from layers.geo.bbox import Bbox, numbers
from layers.geo.crs import CRS84, Crs, Frame
from layers.query.condition import condition
from layers.query.expression import LONGEST, Language, read
from layers.query.features import View
from layers.query.order import Order
from layers.query.queryable import GEOMETRY, queryables, sortables
from layers.query.selection import Selection
from mapserver.deps import ACity, AClock, AnAudience
from mapserver.params import AnInterval, LayerId

_URI = 100
_NAMES = 1000


@dataclass(frozen=True)
class Wanted:
    """Everything that a request says about features, already checked."""

    layer: Layer
    selection: Selection
    order: Order
    view: View

    @property
    def fields(self) -> tuple[Field, ...]:
        """The properties told."""
        return self.view.fields(self.layer, self.selection.audience)


async def _crs(
    city: ACity,
    crs: Annotated[str | None, Query(description="URI of the system of the answer", max_length=_URI)] = None,
) -> Crs:
    return _offered(crs, "crs", city.bbox)


async def _box(
    city: ACity,
    bbox: Annotated[
        str | None, Query(description="west,south,east,north in degrees, or as `bbox-crs` has it", max_length=200)
    ] = None,
    crs: Annotated[
        str | None, Query(alias="bbox-crs", description="URI of the system of `bbox`", max_length=_URI)
    ] = None,
) -> Bbox | Frame | None:
    system = _offered(crs, "bbox-crs", city.bbox)
    return None if bbox is None else systems.box(numbers(bbox, "bbox"), system)


@dataclass(frozen=True)
class Filter:
    """A tree of CQL2, and the system of its geometries."""

    tree: Any
    crs: Crs


async def _filter(
    city: ACity,
    text: Annotated[
        str | None,
        Query(alias="filter", description="CQL2 expression over the queryables", max_length=LONGEST),
    ] = None,
    language: Annotated[Language, Query(alias="filter-lang", description="how it is written")] = "cql2-text",
    crs: Annotated[
        str | None, Query(alias="filter-crs", description="URI of the system of its geometries", max_length=_URI)
    ] = None,
) -> Filter | None:
    system = _offered(crs, "filter-crs", city.bbox)
    return None if text is None else Filter(read(text, language), system)


async def _equal(**given: str | None) -> dict[str, str]:
    return {name.removeprefix("_"): value for name, value in given.items() if value is not None}


def _by_name() -> Signature:
    """One parameter for each queryable of any layer; which of them a layer has is known when it is asked."""
    everybody = Audience(Role.ADMIN)
    found = {name: each for layer in LAYERS.values() for name, each in queryables(layer, everybody).items()}
    return Signature(
        [
            Parameter(
                f"_{name}",
                Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[
                    str | None,
                    Query(
                        alias=name, description=f"only features with this: {each.schema['title']}", max_length=200
                    ),
                ],
            )
            for name, each in sorted(found.items())
            if name != GEOMETRY
        ]
    )


_equal.__signature__ = _by_name()  # type: ignore[attr-defined]


async def _wanted(  # noqa: PLR0913
    layer_id: LayerId,
    audience: AnAudience,
    clock: AClock,
    crs: Annotated[Crs, Depends(_crs)],
    box: Annotated[Bbox | Frame | None, Depends(_box)],
    interval: AnInterval,
    filter_: Annotated[Filter | None, Depends(_filter)],
    equal: Annotated[dict[str, str], Depends(_equal)],
    sortby: Annotated[
        str | None,
        Query(description="sortables with commas between, `-` before one that falls", max_length=_NAMES),
    ] = None,
    properties: Annotated[
        str | None, Query(description="names of the properties that features carry", max_length=_NAMES)
    ] = None,
) -> Wanted:
    layer = layer_for(layer_id, audience)
    names = queryables(layer, audience)
    filters = []
    for name, text in equal.items():
        if name not in names:
            raise BadValue(f"unknown parameter '{name}'", parameter=name, known=sorted(names))
        tree = {"op": "=", "args": [{"property": name}, names[name].read(text, name)]}
        filters.append(condition(tree, names, parameter=name))
    if filter_ is not None:
        filters.append(condition(filter_.tree, names, filter_.crs))
    chosen = None if properties is None else tuple(filter(None, properties.split(",")))
    return Wanted(
        layer,
        Selection(layer, audience, clock.now(), interval, box, tuple(filters)),
        Order() if sortby is None else Order.parse(sortby, sortables(layer, audience)),
        View(crs, chosen),
    )


def _offered(uri: str | None, parameter: str, extent: Bbox) -> Crs:
    if uri is None:
        return CRS84
    found = Crs.named(uri, parameter)
    if found not in systems.offered(extent):
        raise BadValue(f"{parameter}: {uri} does not hold where this city is", parameter=parameter)
    return found


ACrs = Annotated[Crs, Depends(_crs)]
AWanted = Annotated[Wanted, Depends(_wanted)]

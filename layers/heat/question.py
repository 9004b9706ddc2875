"""What is asked of a heat layer."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import numpy as np
import shapely

from layers.catalog.city import City
from layers.core.audience import SENSITIVE_RES, Audience
from layers.core.errors import BadValue, UnknownLayer
from layers.core.span import Span
from layers.geo.bbox import Bbox

Weight = Literal["count", "severity"]

LEAST_HALF_LIFE = timedelta(minutes=1)
MOST_HALF_LIFE = timedelta(days=36525)
MOST_CORNERS = 10_000


@dataclass(frozen=True)
class Mask:
    """What incidents have to lie in; whatever is none narrows nothing.

    areas : ids of areas; only incidents tagged with one of them.
    polygon : lon-lat degrees; only base cells whose centre lies inside, whole.
    """

    areas: frozenset[int] | None = None
    polygon: shapely.Geometry | None = None

    def __bool__(self) -> bool:
        return self.areas is not None or self.polygon is not None


@dataclass(frozen=True)
class Question:
    """Incidents per H3 cell at `res` in `span`, of one heat layer; `span` is of whole seconds.

    categories : codes counted; none means all.
    patrol : incidents that patrols found themselves are counted too.
    hours, weekdays : only incidents at those hours 0-23, on those ISO weekdays, of the city's wall time.
    half_life : each incident counts half for every `half_life` before the end of the span.
    mask : only incidents inside.  bbox : only cells that touch it, whole.
    with_sensitive : sensitive categories are counted too.
    """

    layer: str
    span: Span
    res: int
    weight: Weight = "count"
    categories: frozenset[str] | None = None
    patrol: bool = True
    hours: frozenset[int] | None = None
    weekdays: frozenset[int] | None = None
    half_life: timedelta | None = None
    mask: Mask = field(default_factory=Mask)
    bbox: Bbox | None = None
    with_sensitive: bool = False


def check_layer(layer: str, city: City) -> str:
    """A heat layer of the city.

    Raises
    ------
    UnknownLayer : neither `all` nor a zone type of the city.
    """
    if layer not in city.heat_layers:
        raise UnknownLayer(f"there is no heat layer '{layer[:40]}'", layer=layer[:40])
    return layer


def check_categories(text: str | None, city: City) -> frozenset[str] | None:
    """Read a comma-separated list of category codes.

    Raises
    ------
    BadValue : one of them is not the city's.
    """
    if text is None:
        return None
    codes = text.split(",")
    known = {category.code for category in city.categories}
    for code in codes:
        if code not in known:
            raise BadValue(f"category: the city has no '{code[:40]}'", parameter="category")
    return frozenset(codes)


def check_resolution(res: int, city: City) -> int:
    """A resolution of the heat layers.

    Raises
    ------
    BadValue : negative, or finer than the city's base resolution.
    """
    if not 0 <= res <= city.base_resolution:
        raise BadValue(f"res: {res} is not between 0 and {city.base_resolution}", parameter="res")
    return res


def check_seconds(span: Span) -> Span:
    """A span of whole seconds, which heat counts in.

    Raises
    ------
    BadValue : an end lies between two seconds.
    """
    for name, at in (("from", span.start), ("to", span.end)):
        if at.microsecond:
            raise BadValue(f"{name}: spans are of whole seconds", parameter=name)
    return span


def check_half_life(days: float | None) -> timedelta | None:
    """A half-life in days.

    Raises
    ------
    BadValue : no number, shorter than a minute or longer than a century.
    """
    if days is None:
        return None
    least, most = (limit / timedelta(days=1) for limit in (LEAST_HALF_LIFE, MOST_HALF_LIFE))
    if not least <= days <= most:  # so that what is no number is refused too
        raise BadValue(f"half_life: {days} is not between {least:.5f} and {most:.0f} days", parameter="half_life")
    return timedelta(days=days)


def check_polygon(text: str | None) -> shapely.Geometry | None:
    """Read a polygon or multipolygon as WKT, lon-lat degrees.

    Raises
    ------
    BadValue : unreadable, of another type, not valid, outside the globe, or of too many corners.
    """
    if text is None:
        return None
    try:
        with np.errstate(invalid="ignore"):  # corners that are no numbers make it invalid below
            shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException as exc:
        raise BadValue(f"polygon: no WKT: {exc}", parameter="polygon") from exc
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
        raise BadValue("polygon: needs a POLYGON or MULTIPOLYGON", parameter="polygon")
    if shapely.get_num_coordinates(shape) > MOST_CORNERS:
        raise BadValue(f"polygon: more than {MOST_CORNERS} corners", parameter="polygon")
    if not shape.is_valid:
        raise BadValue(f"polygon: {shapely.is_valid_reason(shape)}", parameter="polygon")
    west, south, east, north = shapely.bounds(shape)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004
        raise BadValue("polygon: outside the globe", parameter="polygon")
    return shape


def counts_sensitive(res: int, audience: Audience) -> bool:
    """Whether sensitive categories count at `res`: they are left out where cells are too fine to hide in.

    The layer `all` leaves them out as well, or it minus the others would give them away.
    """
    return res <= SENSITIVE_RES or audience.policy.sensitive_points

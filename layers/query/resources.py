"""Resources around a point, and the teams that are stationed at them."""

from datetime import datetime

from layers.core.audience import Audience
from layers.core.statement import Statement

_POINT = "ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography"
_OF_KIND = "and version.kind = %(kind)s"
_DEVICES = ", resource.device_id, resource.link"


def nearest(
    lon: float, lat: float, at: datetime, audience: Audience, most: int, kind: str | None = None
) -> Statement:
    """The resources that are nearest to a point, by the distance over ground, nearest first.

    Rows hold id, code, kind, name_zh, name_en, unit, lon, lat, distance_m, device_id and link; the last two are
    none but for those who dispatch. The index gives them in order on a sphere, so that of two at nearly the same
    distance either may be the last one.
    """
    devices = _DEVICES if audience.policy.exact_points else ", null as device_id, null as link"
    return Statement(
        f"""select resource.resource_id as id, resource.code, near.kind, near.unit, name_zh, name_en,
          ST_X(near.geom) as lon, ST_Y(near.geom) as lat, near.distance_m{devices}
        from (
          select version.*, ST_Distance(version.geom::geography, {_POINT}) as distance_m
          from onemap.resource_version version
          where version.valid @> %(at)s::timestamptz {"" if kind is None else _OF_KIND}
          order by version.geom::geography <-> {_POINT} limit %(most)s
        ) near join onemap.resource resource using (resource_id)
        order by near.distance_m, resource.code""",  # noqa: S608
        {"lon": lon, "lat": lat, "at": at, "most": most, "kind": kind},
    )


def unknown_unit(unit: str, at: datetime) -> Statement:
    """One value: whether the city says which teams it has, and this is none of them."""
    return Statement(
        """select exists (
          select from onemap.resource_version where unit is not null and valid @> %(at)s::timestamptz
        ) and not exists (
          select from onemap.resource_version where unit = %(unit)s and valid @> %(at)s::timestamptz
        ) as unknown""",
        {"unit": unit, "at": at},
    )

"""Everything about one point, other than its areas."""

from datetime import datetime

from layers.core.audience import Audience
from layers.core.span import Span
from layers.core.statement import Statement
from layers.geo import hexgrid


def risk_areas(lon: float, lat: float, at: datetime) -> Statement:
    """The risk areas whose influence reaches the point: id, code, zone_type, names, influence_m, distance_m."""
    return Statement(
        """select risk_area.risk_area_id as id, risk_area.code, risk_area.zone_type, risk_area.name_zh,
          risk_area.name_en, version.influence_m, version.approximate,
          ST_Distance(version.geom::geography, point::geography) as distance_m
        from onemap.risk_area risk_area join onemap.risk_area_version version using (risk_area_id),
          ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) point
        where version.valid @> %(at)s::timestamptz and ST_Covers(version.influence, point)
        order by distance_m, risk_area.code""",
        {"lon": lon, "lat": lat, "at": at},
    )


def incidents(cell: int, base_resolution: int, span: Span, audience: Audience) -> Statement:
    """Incidents of one H3 cell by category: category, count. Sensitive ones count where points may be seen."""
    low, high = hexgrid.children_range(cell, base_resolution)
    return Statement(
        """select incident.category, count(*) as count
        from onemap.incident incident join onemap.category category on category.code = incident.category
        where incident.cell between %(low)s and %(high)s
        and incident.occurred_at >= %(start)s and incident.occurred_at < %(end)s
        and (%(sensitive)s or not category.sensitive)
        group by incident.category, category.rank order by category.rank""",
        {
            "low": low,
            "high": high,
            "start": span.start,
            "end": span.end,
            "sensitive": audience.policy.sensitive_points,
        },
    )

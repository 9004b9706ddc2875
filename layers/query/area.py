"""One area of the city's tree, by its id or as the top of the tree."""

from datetime import datetime

from layers.catalog.subtree import subtree
from layers.core.statement import Statement

_FIELDS = """area.area_id as id, area.code, level.code as level, area.name_zh, area.name_en,
  ST_Area(version.geom::geography) as size_m2"""
_JOINED = """onemap.area area join onemap.level level on level.rank = area.level_rank
join onemap.area_version version on version.area_id = area.area_id"""


def top(at: datetime) -> Statement:
    """The area at the top of the tree: id, code, level, name_zh, name_en, size_m2; no row in an empty city."""
    return Statement(
        f"""select {_FIELDS} from {_JOINED}
        where area.level_rank = 0 and version.valid @> %(at)s::timestamptz order by area.code limit 1""",  # noqa: S608
        {"at": at},
    )


def by_id(area_id: int, scope: int | None) -> Statement:
    """The area of that id, if it lies inside the scope; the same columns."""
    return Statement(
        f"""with recursive above (area_id) as (
          select %(area_id)s::bigint
          union
          select version.parent_id from onemap.area_version version join above using (area_id)
          where version.parent_id is not null
        )
        select {_FIELDS} from {_JOINED}
        where area.area_id = %(area_id)s
        and (%(scope)s::bigint is null or %(scope)s::bigint in (select area_id from above))
        order by lower(version.valid) desc nulls last limit 1""",  # noqa: S608
        {"area_id": area_id, "scope": scope},
    )


def ids_below(area_id: int) -> Statement:
    """Ids of the area and of all that ever stood below it: one column `area_id`."""
    return Statement.of(subtree(area_id))


def households(at: datetime) -> Statement:
    """The areas of the finest level of which any area's households are known: `households` and `shape` as WKB."""
    return Statement(
        """select area.households, ST_AsBinary(version.geom) as shape
        from onemap.area area join onemap.area_version version using (area_id)
        where area.households is not null and version.valid @> %(at)s::timestamptz
        and area.level_rank = (select max(level_rank) from onemap.area where households is not null)
        order by area.area_id""",
        {"at": at},
    )


def at_point(lon: float, lat: float, at: datetime) -> Statement:
    """The areas above a point, top first, one a level; on a border the lowest code. The same columns."""
    return Statement(
        f"""select distinct on (area.level_rank) {_FIELDS} from {_JOINED}
        where version.valid @> %(at)s::timestamptz
        and ST_Covers(version.geom, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326))
        order by area.level_rank, area.code""",  # noqa: S608
        {"lon": lon, "lat": lat, "at": at},
    )

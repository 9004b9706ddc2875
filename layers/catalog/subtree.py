"""A subtree of the city's tree of areas, as every question about an area means it."""

from sqlalchemy import BigInteger, ColumnElement, Select, literal, select

from layers.schema.tables import area_version


def subtree(area_id: int) -> Select[tuple[int]]:
    """Ids of the area and of all that ever stood below it."""
    below = select(literal(area_id, BigInteger).label("area_id")).cte("below", recursive=True)
    below = below.union(select(area_version.c.area_id).join(below, area_version.c.parent_id == below.c.area_id))
    return select(below.c.area_id)


def inside(column: ColumnElement[int], area_id: int) -> ColumnElement[bool]:
    """Whether a tagged area lies in the subtree."""
    return column.in_(subtree(area_id))

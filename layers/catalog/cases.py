"""The cases layer: where the closed loop has work to do, and how its terms stand now."""

from sqlalchemy import Integer, Text, and_, case, literal, type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import NOW, Field, Layer, Look, Shade, Zoom
from layers.core.audience import Role
from layers.schema.casebook import case_file
from layers.schema.tables import area, category

SHADES = (
    Shade("red", Name(zh="严重逾期", en="Long overdue"), "#e5484d"),
    Shade("overdue", Name(zh="已逾期", en="Overdue"), "#f0883e"),
    Shade("warn", Name(zh="即将到期", en="Due soon"), "#f2c94c"),
    Shade("green", Name(zh="期限内", en="In time"), "#4cc38a"),
    Shade("none", Name(zh="无时限", en="No term runs"), "#8fa0b6"),
    Shade("ended", Name(zh="已结束", en="Ended"), "#4b5a70"),
)
"""The most pressing first."""

_table = case_file.c

# Each moment is the first of all terms that run, so the worst of them decides. What has ended has none.
_FITS = (
    _table.red_at <= NOW,
    _table.due_at <= NOW,
    _table.warn_at <= NOW,
    _table.due_at.is_not(None),
    _table.is_open,
)
_STANDS = tuple(zip(_FITS, SHADES, strict=False))
_DEADLINE = case(*((fits, literal(shade.value, Text)) for fits, shade in _STANDS), else_=literal("ended", Text))
_PRESSING = case(*((fits, literal(len(SHADES) - place, Integer)) for place, fits in enumerate(_FITS)), else_=0)

CASES = Layer(
    id="cases",
    title=Name(zh="处置事项", en="Cases"),
    description="Work of the closed loop, never persons. Without exact points each stands on a cell's centre.",
    rows=case_file.join(
        category, and_(category.c.code == _table.category, _table.merged_into.is_(None))
    ).outerjoin(area, area.c.area_id == _table.area_id),
    key=case_file.c.case_id,
    geometry=type_coerce(_table.spot, NullType()),
    exact_geometry=type_coerce(_table.geom, NullType()),
    shape="point",
    moment=_table.reported_at,
    fields=(
        Field("deadline", "how its terms stand now: red, overdue, warn, green, none, or ended", _DEADLINE),
        Field("category", "what it is about; a code of the city's categories", _table.category),
        Field("state", "where it stands in its workflow", _table.state),
        Field("open", "whether there is work to do", _table.is_open.label("open")),
        Field("severity", "weight of the category", _table.severity, from_zoom=14),
        Field("workflow", "code of its workflow", _table.workflow, from_zoom=14),
        Field("unit", "the office that it was last dispatched to", _table.unit, from_zoom=14),
        Field("bounces", "how often an office gave it back", _table.bounces, from_zoom=14),
        Field("reported_at", "when it was reported", _table.reported_at, unit="UTC instant", from_zoom=14),
        Field(
            "changed_at",
            "when it last changed, by a move or by its source",
            _table.changed_at,
            unit="UTC instant",
            from_zoom=14,
        ),
        Field("due_at", "when the first of its terms is over", _table.due_at, unit="UTC instant", from_zoom=14),
        Field("area", "code of the finest area", area.c.code.label("area"), from_zoom=14),
        Field("incident", "the incident that it is made of", _table.incident_id.label("incident"), from_zoom=14),
    ),
    zoom=Zoom(9, 18),
    look=Look("#8fa0b6", by="deadline", shades=SHADES),
    rank=_PRESSING,
    least=Role.ROOM,
    hides_sensitive=_table.category,
    turns=(_table.warn_at, _table.due_at, _table.red_at),
    booked=True,
)

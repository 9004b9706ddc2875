"""The incidents layer: dated points, for those who may read incidents at all."""

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.core.audience import Role
from layers.schema.tables import area, incident

_STREETS = 16
"""From here on a tile is a few streets, and carries all of each event; of thousands it carries what draws them, as
each moment is a text of its own, and takes PostGIS as long to write as all else in the tile."""

INCIDENTS = Layer(
    id="incidents",
    title=Name(zh="事件", en="Incidents"),
    description="Events, never persons. Without exact points each stands on the centre of its H3 base cell.",
    rows=incident.outerjoin(area, area.c.area_id == incident.c.area_id),
    key=incident.c.incident_id,
    geometry=type_coerce(incident.c.spot, NullType()),
    exact_geometry=type_coerce(incident.c.geom, NullType()),
    shape="point",
    moment=incident.c.occurred_at,
    fields=(
        Field("category", "what happened; a code of the city's categories", incident.c.category),
        Field("occurred_at", "when it happened", incident.c.occurred_at, unit="UTC instant", from_zoom=_STREETS),
        Field("origin", "who reported it: citizen, patrol, sensor or hotline", incident.c.origin, from_zoom=14),
        Field("severity", "weight of the category", incident.c.severity),
        Field("state", "state at the source", incident.c.state, from_zoom=14),
        Field("due_at", "when it is due", incident.c.due_at, unit="UTC instant", from_zoom=_STREETS),
        Field("closed_at", "when it was closed", incident.c.closed_at, unit="UTC instant", from_zoom=_STREETS),
        Field("area", "code of the finest area", area.c.code.label("area"), from_zoom=_STREETS),
        Field("source", "where it came from", incident.c.source, from_zoom=_STREETS),
        Field(
            "attributes",
            "further columns of the source",
            incident.c.attributes,
            least=Role.ANALYST,
            from_zoom=_STREETS,
        ),
    ),
    zoom=Zoom(11, 18),
    look=Look("#8fd3ff"),
    rank=incident.c.severity,
    least=Role.ROOM,
    hides_sensitive=incident.c.category,
)

"""The resources layer: points that serve, each with the team that is stationed there."""

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.core.audience import Role
from layers.schema.tables import resource, resource_version

RESOURCES = Layer(
    id="resources",
    title=Name(zh="资源", en="Resources"),
    description="Points that serve: centres, posts, teams' homes, devices as links. Never officers, and no video.",
    rows=resource_version.join(resource, resource.c.resource_id == resource_version.c.resource_id),
    key=resource.c.resource_id,
    geometry=type_coerce(resource_version.c.geom, NullType()),
    shape="point",
    valid=resource_version.c.valid,
    fields=(
        Field("code", "code within the city", resource.c.code),
        Field("kind", "kind of resource; a code of the city's kinds", resource_version.c.kind),
        Field("name_zh", "name in Chinese, where there is one", resource.c.name_zh),
        Field("name_en", "name in English, where there is one", resource.c.name_en),
        Field("unit", "the team that is stationed there", resource_version.c.unit),
        Field("device_id", "id of a device by GB/T 28181", resource.c.device_id, least=Role.DISPATCHER),
        Field("link", "where the device is looked at", resource.c.link, least=Role.DISPATCHER, from_zoom=14),
        Field("source", "where it came from", resource.c.source, from_zoom=14),
    ),
    zoom=Zoom(8, 18),
    look=Look("#7fd1c7", by="kind"),
    least=Role.ROOM,
)

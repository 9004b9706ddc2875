"""The vocabulary as SQLAlchemy tables; a test compares them with a migrated database.

What each table means stands in the numbered files of migrations/. Geometry is lon-lat EPSG:4326, times are
UTC instants, `valid` and `bin` are half-open ranges.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TSTZRANGE

from layers.schema.columns import counts, geometry, instant, metadata, texts, whole_key


def _facts() -> list[Column[Any]]:
    """What is known of an incident, now or in the past."""
    return [
        *texts("source", "source_key", "category", "origin"),
        instant("occurred_at"),
        instant("recorded_at", nullable=True),
        *texts("state", nullable=True),
        instant("due_at", nullable=True),
        instant("closed_at", nullable=True),
        Column("severity", Integer, nullable=False),
        *counts("cell"),
        *counts("area_id", nullable=True),
        Column("zones", Integer, nullable=False),
    ]


level = Table(
    "level", metadata, Column("rank", SmallInteger, primary_key=True), *texts("code", "name_zh", "name_en")
)

road = Table(
    "road",
    metadata,
    whole_key("road_id"),
    *texts("source", "source_key", "class"),
    *texts("name_zh", "name_en", nullable=True),
    *texts("oneway"),
    Column("layer", SmallInteger, nullable=False),
    geometry("geom", "MULTILINESTRING"),
    Column("content_hash", LargeBinary, nullable=False),
    *counts("run_id"),
)

place = Table(
    "place",
    metadata,
    whole_key("place_id"),
    *texts("source", "source_key", "kind"),
    *texts("name_zh", "name_en", nullable=True),
    geometry("geom", "POINT"),
    Column("content_hash", LargeBinary, nullable=False),
    *counts("run_id"),
)

area = Table(
    "area",
    metadata,
    whole_key("area_id"),
    Column("level_rank", SmallInteger, nullable=False),
    *texts("code"),
    *texts("official_code", "local_code", nullable=True),
    *texts("name_zh", "name_en", "source"),
    Column("households", BigInteger, nullable=True),
)

area_version = Table(
    "area_version",
    metadata,
    whole_key("area_version_id"),
    *counts("area_id"),
    Column("parent_id", BigInteger, nullable=True),
    Column("valid", TSTZRANGE, nullable=False),
    geometry("geom", "MULTIPOLYGON"),
    *counts("run_id"),
)

zone_type = Table(
    "zone_type",
    metadata,
    Column("code", Text, primary_key=True),
    Column("bit", SmallInteger, nullable=False),
    *texts("name_zh", "name_en", "colour"),
)

risk_area = Table(
    "risk_area", metadata, whole_key("risk_area_id"), *texts("code", "zone_type", "name_zh", "name_en", "source")
)

risk_area_version = Table(
    "risk_area_version",
    metadata,
    whole_key("risk_area_version_id"),
    *counts("risk_area_id"),
    Column("valid", TSTZRANGE, nullable=False),
    Column("influence_m", REAL, nullable=False),
    Column("approximate", Boolean, nullable=False),
    geometry("geom", "GEOMETRY"),
    geometry("influence", "MULTIPOLYGON"),
    *counts("run_id"),
)

resource = Table(
    "resource",
    metadata,
    whole_key("resource_id"),
    *texts("code"),
    *texts("name_zh", "name_en", "device_id", "link", nullable=True),
    *texts("source"),
)

resource_version = Table(
    "resource_version",
    metadata,
    whole_key("resource_version_id"),
    *counts("resource_id"),
    Column("valid", TSTZRANGE, nullable=False),
    *texts("kind"),
    *texts("unit", nullable=True),
    geometry("geom", "POINT"),
    *counts("run_id"),
)

category = Table(
    "category",
    metadata,
    Column("code", Text, primary_key=True),
    Column("rank", SmallInteger, nullable=False),
    *texts("name_zh", "name_en"),
    Column("weight", Integer, nullable=False),
    Column("sensitive", Boolean, nullable=False),
)

incident = Table(
    "incident",
    metadata,
    whole_key("incident_id"),
    *_facts(),
    geometry("spot", "POINT"),
    geometry("geom", "POINT"),
    Column("attributes", JSONB, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    *counts("run_id"),
    instant("known_from"),
    Column("version", BigInteger, nullable=True),
)

incident_history = Table(
    "incident_history",
    metadata,
    whole_key("history_id"),
    *counts("incident_id"),
    *_facts(),
    geometry("geom", "POINT"),
    Column("attributes", JSONB, nullable=False),
    *counts("run_id"),
    Column("known", TSTZRANGE, nullable=False),
    Column("version", BigInteger, nullable=True),
)

open_item = Table(
    "open_item",
    metadata,
    *counts("incident_id"),
    *texts("category"),
    Column("area_id", BigInteger, nullable=True),
    Column("zones", Integer, nullable=False),
    *counts("cell"),
    instant("occurred_at"),
    instant("due_at", nullable=True),
    info={"view": True},
)

layer_version = Table(
    "layer_version", metadata, Column("layer", Text, primary_key=True), *counts("version"), instant("changed_at")
)

outbox = Table(
    "outbox",
    metadata,
    whole_key("seq"),
    instant("at"),
    *texts("topic", "layer"),
    Column("area_ids", ARRAY(BigInteger), nullable=True),
    Column("payload", JSONB, nullable=False),
)

released_bin = Table(
    "released_bin",
    metadata,
    Column("layer", Text, primary_key=True),
    Column("bin", TSTZRANGE, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("share", SmallInteger, nullable=True),
)

released_cell = Table(
    "released_cell",
    metadata,
    Column("layer", Text, primary_key=True),
    Column("bin", TSTZRANGE, primary_key=True),
    Column("cell", BigInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
)

token = Table(
    "token",
    metadata,
    whole_key("token_id"),
    Column("digest", LargeBinary, nullable=False),
    *texts("audience"),
    *counts("area_id", nullable=True),
    *texts("note"),
    instant("created_at"),
    *(instant(name, nullable=True) for name in ("expires_at", "revoked_at")),
)

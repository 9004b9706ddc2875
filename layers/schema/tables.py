"""The vocabulary as SQLAlchemy tables; a test compares them with a migrated database.

What each table means stands in the numbered files of migrations/. Geometry is lon-lat EPSG:4326, times are
UTC instants, `valid` and `bin` are half-open ranges.
"""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TSTZRANGE

metadata = MetaData(schema="onemap")


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _geometry(name: str, kind: str) -> Column[object]:
    return Column(name, Geometry(kind, 4326, spatial_index=False), nullable=False)


def _text(*names: str, nullable: bool = False) -> list[Column[str]]:
    return [Column(name, Text, nullable=nullable) for name in names]


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


level = Table(
    "level", metadata, Column("rank", SmallInteger, primary_key=True), *_text("code", "name_zh", "name_en")
)

run = Table(
    "run",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    *_text("source", "target", "mode", "file_name", "file_sha256"),
    _instant("started_at"),
    _instant("finished_at", nullable=True),
    *_text("state"),
    *_text("message", nullable=True),
    *_counts("rows_read", "inserted", "updated", "unchanged", "superseded", "quarantined", "deleted"),
    Column("notes", JSONB, nullable=False),
    *_text("via"),
    *_text("watermark", nullable=True),
    Column("replays", BigInteger, nullable=True),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BigInteger, primary_key=True),
    *_counts("run_id"),
    *_text("file_sha256"),
    *_counts("row_number"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("excerpt", JSONB, nullable=False),
    Column("fix", JSONB, nullable=False),
    Column("resolved_by", BigInteger, nullable=True),
    _instant("dismissed_at", nullable=True),
)

finding = Table(
    "finding",
    metadata,
    Column("finding_id", BigInteger, primary_key=True),
    *_counts("run_id"),
    _instant("at"),
    *_text("kind"),
    Column("changed", Boolean, nullable=False),
    Column("row_number", BigInteger, nullable=True),
    *_text("subject", nullable=True),
    *_text("message"),
    Column("amount", Double, nullable=True),
    *_text("unit", nullable=True),
    Column("place", Geometry("GEOMETRY", 4326, spatial_index=False), nullable=True),
)

feed = Table("feed", metadata, Column("source", Text, primary_key=True), *_text("watermark"), *_counts("run_id"))

push = Table(
    "push",
    metadata,
    Column("push_id", BigInteger, primary_key=True),
    *_text("source", "idempotency_key", "body_sha256"),
    _instant("received_at"),
    Column("row_count", Integer, nullable=False),
    Column("rows", JSONB, nullable=True),
    Column("job_id", BigInteger, nullable=True),
    Column("run_id", BigInteger, nullable=True),
)

road = Table(
    "road",
    metadata,
    Column("road_id", BigInteger, primary_key=True),
    *_text("source", "source_key", "class"),
    *_text("name_zh", "name_en", nullable=True),
    *_text("oneway"),
    Column("layer", SmallInteger, nullable=False),
    _geometry("geom", "MULTILINESTRING"),
    Column("content_hash", LargeBinary, nullable=False),
    *_counts("run_id"),
)

place = Table(
    "place",
    metadata,
    Column("place_id", BigInteger, primary_key=True),
    *_text("source", "source_key", "kind"),
    *_text("name_zh", "name_en", nullable=True),
    _geometry("geom", "POINT"),
    Column("content_hash", LargeBinary, nullable=False),
    *_counts("run_id"),
)

area = Table(
    "area",
    metadata,
    Column("area_id", BigInteger, primary_key=True),
    Column("level_rank", SmallInteger, nullable=False),
    *_text("code"),
    *_text("official_code", "local_code", nullable=True),
    *_text("name_zh", "name_en", "source"),
)

area_version = Table(
    "area_version",
    metadata,
    Column("area_version_id", BigInteger, primary_key=True),
    *_counts("area_id"),
    Column("parent_id", BigInteger, nullable=True),
    Column("valid", TSTZRANGE, nullable=False),
    _geometry("geom", "MULTIPOLYGON"),
    *_counts("run_id"),
)

zone_type = Table(
    "zone_type",
    metadata,
    Column("code", Text, primary_key=True),
    Column("bit", SmallInteger, nullable=False),
    *_text("name_zh", "name_en", "colour"),
)

risk_area = Table(
    "risk_area",
    metadata,
    Column("risk_area_id", BigInteger, primary_key=True),
    *_text("code", "zone_type", "name_zh", "name_en", "source"),
)

risk_area_version = Table(
    "risk_area_version",
    metadata,
    Column("risk_area_version_id", BigInteger, primary_key=True),
    *_counts("risk_area_id"),
    Column("valid", TSTZRANGE, nullable=False),
    Column("influence_m", REAL, nullable=False),
    Column("approximate", Boolean, nullable=False),
    _geometry("geom", "GEOMETRY"),
    _geometry("influence", "MULTIPOLYGON"),
    *_counts("run_id"),
)

category = Table(
    "category",
    metadata,
    Column("code", Text, primary_key=True),
    Column("rank", SmallInteger, nullable=False),
    *_text("name_zh", "name_en"),
    Column("weight", Integer, nullable=False),
    Column("sensitive", Boolean, nullable=False),
)

incident = Table(
    "incident",
    metadata,
    Column("incident_id", BigInteger, primary_key=True),
    *_text("source", "source_key", "category", "origin"),
    _instant("occurred_at"),
    _instant("recorded_at", nullable=True),
    *_text("state", nullable=True),
    _instant("due_at", nullable=True),
    _instant("closed_at", nullable=True),
    Column("severity", Integer, nullable=False),
    *_counts("cell"),
    Column("area_id", BigInteger, nullable=True),
    Column("zones", Integer, nullable=False),
    _geometry("spot", "POINT"),
    _geometry("geom", "POINT"),
    Column("attributes", JSONB, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    *_counts("run_id"),
    _instant("known_from"),
    Column("version", BigInteger, nullable=True),
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("source", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    *_counts("version", "run_id"),
)

incident_history = Table(
    "incident_history",
    metadata,
    Column("history_id", BigInteger, primary_key=True),
    *_counts("incident_id"),
    *_text("source", "source_key", "category", "origin"),
    _instant("occurred_at"),
    _instant("recorded_at", nullable=True),
    *_text("state", nullable=True),
    _instant("due_at", nullable=True),
    _instant("closed_at", nullable=True),
    Column("severity", Integer, nullable=False),
    *_counts("cell"),
    Column("area_id", BigInteger, nullable=True),
    Column("zones", Integer, nullable=False),
    _geometry("geom", "POINT"),
    Column("attributes", JSONB, nullable=False),
    *_counts("run_id"),
    Column("known", TSTZRANGE, nullable=False),
    Column("version", BigInteger, nullable=True),
)

open_item = Table(
    "open_item",
    metadata,
    *_counts("incident_id"),
    *_text("category"),
    Column("area_id", BigInteger, nullable=True),
    Column("zones", Integer, nullable=False),
    *_counts("cell"),
    _instant("occurred_at"),
    _instant("due_at", nullable=True),
    info={"view": True},
)

layer_version = Table(
    "layer_version",
    metadata,
    Column("layer", Text, primary_key=True),
    *_counts("version"),
    _instant("changed_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    _instant("at"),
    *_text("topic", "layer"),
    Column("area_ids", ARRAY(BigInteger), nullable=True),
    Column("payload", JSONB, nullable=False),
)

released_bin = Table(
    "released_bin",
    metadata,
    Column("layer", Text, primary_key=True),
    Column("bin", TSTZRANGE, primary_key=True),
    Column("total", Integer, nullable=False),
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
    Column("token_id", BigInteger, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    *_text("audience"),
    Column("area_id", BigInteger, nullable=True),
    *_text("note"),
    _instant("created_at"),
    _instant("expires_at", nullable=True),
    _instant("revoked_at", nullable=True),
)

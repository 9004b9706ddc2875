"""The books that loading keeps, as SQLAlchemy tables: its runs, what it found and refused, and what it changed."""

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL

from layers.schema.columns import Xid8, counts, instant, metadata, texts, whole_key

run = Table(
    "run",
    metadata,
    whole_key("run_id"),
    *texts("source", "target", "mode", "file_name", "file_sha256"),
    instant("started_at"),
    instant("finished_at", nullable=True),
    *texts("state"),
    *texts("message", nullable=True),
    *counts("rows_read", "inserted", "updated", "unchanged", "superseded", "quarantined", "deleted"),
    Column("notes", JSONB, nullable=False),
    *texts("via"),
    *texts("watermark", nullable=True),
    Column("replays", BigInteger, nullable=True),
)

quarantine = Table(
    "quarantine",
    metadata,
    whole_key("quarantine_id"),
    *counts("run_id"),
    *texts("file_sha256"),
    *counts("row_number"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("excerpt", JSONB, nullable=False),
    Column("fix", JSONB, nullable=False),
    Column("resolved_by", BigInteger, nullable=True),
    instant("dismissed_at", nullable=True),
)

finding = Table(
    "finding",
    metadata,
    whole_key("finding_id"),
    *counts("run_id"),
    instant("at"),
    *texts("kind"),
    Column("changed", Boolean, nullable=False),
    Column("row_number", BigInteger, nullable=True),
    *texts("subject", nullable=True),
    *texts("message"),
    Column("amount", Double, nullable=True),
    *texts("unit", nullable=True),
    Column("place", Geometry("GEOMETRY", 4326, spatial_index=False), nullable=True),
)

feed = Table("feed", metadata, Column("source", Text, primary_key=True), *texts("watermark"), *counts("run_id"))

push = Table(
    "push",
    metadata,
    whole_key("push_id"),
    *texts("source", "idempotency_key", "body_sha256"),
    instant("received_at"),
    Column("row_count", Integer, nullable=False),
    Column("rows", JSONB, nullable=True),
    Column("masked", JSONB, nullable=False),
    *counts("job_id", "run_id", nullable=True),
)

source = Table(
    "source",
    metadata,
    Column("source", Text, primary_key=True),
    *texts("target", "title_zh", "title_en", "format"),
    *(Column(name, ARRAY(Text), nullable=False) for name in ("taken", "key", "texts")),
)

job_report = Table(
    "job_report",
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    instant("at"),
    *texts("step"),
    Column("share", REAL, nullable=False),
    *counts("row_count"),
    Column("run_ids", ARRAY(BigInteger), nullable=False),
    *texts("message", nullable=True),
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("source", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    *counts("version", "run_id"),
)

stale_day = Table("stale_day", metadata, Column("day", Date, primary_key=True))

ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    instant("at"),
    *texts("kind", "subject"),
    Column("payload", JSONB, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

ledger_text = Table(
    "ledger_text",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    *texts("text"),
)

replay = Table(
    "replay",
    metadata,
    Column("one", Boolean, primary_key=True),
    *texts("source"),
    instant("shown_from"),
    instant("begun_at"),
    Column("speed", Double, nullable=False),
    *(instant(name) for name in ("until", "fed_to")),
)

heat_delta = Table(
    "heat_delta",
    metadata,
    Column("xid", Xid8, primary_key=True),
    whole_key("seq"),
    *counts("t", "cell", "area_id"),
    *texts("category"),
    Column("patrol", Boolean, nullable=False),
    Column("zones", Integer, nullable=False),
    Column("sign", SmallInteger, nullable=False),
)

heat_horizon = Table(
    "heat_horizon", metadata, Column("single", Boolean, primary_key=True), Column("xid", Xid8, nullable=False)
)

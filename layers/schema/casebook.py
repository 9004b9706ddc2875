"""The closed loop's tables, as SQLAlchemy tables."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TSTZMULTIRANGE

from layers.schema.columns import counts, geometry, instant, metadata, texts, whole_key

case_file = Table(
    "case_file",
    metadata,
    whole_key("case_id"),
    *texts("workflow"),
    *counts("incident_id", nullable=True),
    *texts("source", "source_key", "category"),
    Column("severity", Integer, nullable=False),
    *texts("origin"),
    instant("reported_at"),
    *texts("report", nullable=True),
    *counts("cell"),
    *counts("area_id", nullable=True),
    Column("zones", Integer, nullable=False),
    geometry("spot", "POINT"),
    geometry("geom", "POINT"),
    *texts("state"),
    Column("is_open", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    instant("entered_at"),
    instant("changed_at"),
    *texts("unit", nullable=True),
    Column("bounces", Integer, nullable=False),
    Column("rating", SmallInteger, nullable=True),
    *(instant(name, nullable=True) for name in ("clock_started_at", "still_since")),
    Column("paused", Boolean, nullable=False),
    Column("stills", TSTZMULTIRANGE, nullable=False),
    *(instant(name, nullable=True) for name in ("due_at", "warn_at", "red_at")),
    Column("answers", JSONB, nullable=False),
    *counts("merged_into", nullable=True),
    *(instant(name, nullable=True) for name in ("merged_at", "regrouped_at", "covered_at")),
)

case_step = Table(
    "case_step",
    metadata,
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    *texts("move", "actor"),
    instant("at"),
    *texts("state"),
    *texts("unit", nullable=True),
    Column("rating", SmallInteger, nullable=True),
    *counts("seq", nullable=True),
)

case_deadline = Table(
    "case_deadline",
    metadata,
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),
    Column("stage", Text, primary_key=True),
    Column("start_at", instant("start_at").type, primary_key=True),
    *(instant(name, nullable=True) for name in ("due_at", "warn_at", "red_at", "met_at")),
    *texts("told"),
)

case_photo = Table(
    "case_photo",
    metadata,
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),
    instant("taken_at"),
    Column("jpeg", LargeBinary, nullable=False),
)

ledger_item = Table(
    "ledger_item",
    metadata,
    *texts("item"),
    *counts("item_id"),
    *texts("workflow"),
    *texts("category", nullable=True),
    *counts("area_id", nullable=True),
    *texts("unit", nullable=True),
    *texts("state"),
    Column("is_open", Boolean, nullable=False),
    instant("reported_at"),
    *(instant(name, nullable=True) for name in ("due_at", "warn_at", "red_at", "met_at")),
    info={"view": True},
)

"""The tables of measures and of service load, as SQLAlchemy tables."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text

from layers.schema.columns import counts, instant, metadata, texts, whole_key

campaign = Table(
    "campaign",
    metadata,
    whole_key("campaign_id"),
    *texts("code", "name_zh", "name_en"),
    instant("start_at"),
    instant("end_at"),
)

measure = Table(
    "measure",
    metadata,
    whole_key("measure_id"),
    *texts("key", "name_zh", "name_en"),
    *texts("zone_type", nullable=True),
    *counts("area_id", "risk_area_id", "campaign_id", nullable=True),
    *texts("unit", "every"),
    Column("target", Integer, nullable=False),
    instant("registered_at"),
    instant("closed_at", nullable=True),
)

measure_term = Table(
    "measure_term",
    metadata,
    Column("measure_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    instant("start_at"),
    instant("due_at"),
)

measure_evidence = Table(
    "measure_evidence",
    metadata,
    Column("measure_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    instant("at"),
    Column("amount", Integer, nullable=False),
)

service_load = Table(
    "service_load",
    metadata,
    whole_key("service_load_id"),
    *texts("source", "source_key"),
    *counts("area_id"),
    *texts("class"),
    instant("since"),
    instant("until"),
    *counts("due", "done"),
    *texts("link", nullable=True),
    Column("hidden", Boolean, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    *counts("run_id"),
)

"""The tables of what is pushed to other offices, as SQLAlchemy tables."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, Time
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from layers.schema.columns import counts, instant, metadata, texts, whole_key

subscription = Table(
    "subscription",
    metadata,
    whole_key("subscription_id"),
    *texts("kind"),
    *texts("address", "secret", nullable=True),
    *texts("audience"),
    *counts("area_id", nullable=True),
    *(Column(name, ARRAY(Text), nullable=False) for name in ("categories", "zone_types", "topics")),
    *texts("language"),
    *(Column(name, Time, nullable=True) for name in ("quiet_from", "quiet_to")),
    Column("red_passes", Boolean, nullable=False),
    Column("digest_min", Integer, nullable=False),
    *texts("note"),
    instant("created_at"),
    instant("ended_at", nullable=True),
)

delivery = Table(
    "delivery",
    metadata,
    whole_key("delivery_id"),
    *counts("subscription_id"),
    *texts("key"),
    instant("at"),
    Column("urgent", Boolean, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("area_ids", ARRAY(BigInteger), nullable=False),
    Column("attempts", Integer, nullable=False),
    instant("next_at"),
    *texts("outcome", nullable=True),
)

delivery_log = Table(
    "delivery_log",
    metadata,
    whole_key("delivery_log_id"),
    instant("at"),
    *counts("subscription_id", "delivery_id"),
    Column("attempt", Integer, nullable=False),
    *texts("outcome", "detail"),
)

delivery_cursor = Table("delivery_cursor", metadata, Column("single", Boolean, primary_key=True), *counts("seq"))

cap_alert = Table(
    "cap_alert",
    metadata,
    Column("delivery_id", BigInteger, primary_key=True, autoincrement=False),
    *texts("audience"),
    Column("area_ids", ARRAY(BigInteger), nullable=False),
    instant("sent_at"),
    instant("expires_at"),
    Column("content", JSONB, nullable=False),
)

"""The outbox: what happened, in the order of commits.

Serial ids are handed out before a commit, so with concurrent writers a reader that follows them would lose events.
Writers therefore take one advisory lock just before they write their events, as the last thing before commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from layers.core.statement import Statement

CHANNEL = "onemap"
"""NOTIFY channel that wakes the followers; the payload is empty, they read the outbox."""

_LOCK = 0x6F7574626F78  # "outbox"


def begin(connection: psycopg.Connection[DictRow]) -> None:
    """Take the place in the order of commits; only `bump` and `emit` may follow before the commit."""
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])


def bump(connection: psycopg.Connection[DictRow], layer: str, at: datetime) -> int:
    """Give `layer` its next version, tell the followers, and return it."""
    found = connection.execute(
        """insert into onemap.layer_version (layer, version, changed_at) values (%(layer)s, 1, %(at)s)
        on conflict (layer) do update set version = layer_version.version + 1, changed_at = excluded.changed_at
        returning version""",
        {"layer": layer, "at": at},
    ).fetchone()
    version = int(found["version"]) if found else 0
    emit(connection, "layer", layer, [{"layer": layer, "version": version}], at)
    return version


def emit(
    connection: psycopg.Connection[DictRow],
    topic: str,
    layer: str,
    payloads: Sequence[dict[str, Any]],
    at: datetime,
    area_ids: Sequence[list[int] | None] | None = None,
) -> None:
    """Write events, one a payload; `area_ids` names each one's area and all above it, none meaning the city."""
    scopes = area_ids if area_ids is not None else [None] * len(payloads)
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into onemap.outbox (at, topic, layer, area_ids, payload)
            values (%s, %s, %s, %s, %s)""",
            [(at, topic, layer, scope, Jsonb(p)) for scope, p in zip(scopes, payloads, strict=True)],
        )
    connection.execute("select pg_notify(%s, '')", [CHANNEL])


def forget(connection: psycopg.Connection[DictRow], before: datetime) -> int:
    """Drop the events before that time, and return how many; the last of all stays, to count on from."""
    return connection.execute(
        """delete from onemap.outbox where seq < coalesce(
          (select min(seq) from onemap.outbox where at >= %s), (select max(seq) from onemap.outbox))""",
        [before],
    ).rowcount


def since(seq: int, limit: int) -> Statement:
    """Events after `seq`, oldest first: seq, at, topic, layer, area_ids, payload."""
    return Statement(
        """select seq, at, topic, layer, area_ids, payload from onemap.outbox
        where seq > %(seq)s order by seq limit %(limit)s""",
        {"seq": seq, "limit": limit},
    )


def bounds() -> Statement:
    """First and last seq kept, null when there is none: `oldest`, `newest`."""
    return Statement("select min(seq) as oldest, max(seq) as newest from onemap.outbox")

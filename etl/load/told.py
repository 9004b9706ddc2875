"""What followers are told of a load of incidents."""

from datetime import UTC, datetime
from typing import Any

from etl.load.staging import Connection
from layers.core import events
from layers.heat import public

LAYER = "incidents"

TOLD_ONE_BY_ONE = 500
"""Loads of more incidents than this tell only that the layer has changed."""

_CHANGED = """
with recursive changed as (
  select known.* from onemap.incident known join stated using (source_key) join needed using (row_number)
  where known.source = %(source)s and known.run_id = %(run)s
), above as (
  select incident_id, occurred_at, area_id from changed where area_id is not null
  union
  select above.incident_id, above.occurred_at, version.parent_id
  from above join onemap.area_version version using (area_id)
  where version.valid @> above.occurred_at and version.parent_id is not null
)
select incident_id, category, occurred_at, st_x(spot) as lon, st_y(spot) as lat, area_id, zones, sensitive,
  coalesce((select array_agg(area_id) from above where above.incident_id = changed.incident_id), '{}') as area_ids
from changed join onemap.category on category.code = changed.category
order by occurred_at, incident_id"""


def tell(connection: Connection, *, source: str, run_id: int, at: datetime, each: bool, released: bool) -> None:
    """Bump the layer, and tell of `each` of the incidents that were needed; last before the commit.

    released : the public's product has changed too.
    """
    changed = connection.execute(_CHANGED, {"source": source, "run": run_id}).fetchall() if each else []
    events.begin(connection)
    events.bump(connection, LAYER, at)
    if released:
        events.bump(connection, public.LAYER, at)
    if changed:
        events.emit(
            connection,
            "incident",
            LAYER,
            [_payload(row) for row in changed],
            at,
            [row["area_ids"] for row in changed],
        )


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    """What followers learn of one incident: its spot, never its true point."""
    return {
        "id": row["incident_id"],
        "category": row["category"],
        "occurred_at": row["occurred_at"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "lon": row["lon"],
        "lat": row["lat"],
        "area": row["area_id"],
        "zones": row["zones"],
        "sensitive": row["sensitive"],
    }

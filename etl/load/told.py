"""What followers are told of a load of incidents."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime, Text

from etl.load.staging import Connection
from layers.catalog.incidents import INCIDENTS
from layers.core import events
from layers.core.statement import Statement
from layers.heat import public
from layers.query.features import DECIMALS

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
select incident_id as id, sensitive,
  coalesce((select array_agg(area_id) from above where above.incident_id = changed.incident_id), '{}') as area_ids
from changed join onemap.category on category.code = changed.category
order by occurred_at, incident_id"""

_INSTANTS = {known.name for known in INCIDENTS.fields if isinstance(known.column.type, DateTime)}

# Instants are written as the API writes them: by JSON, in UTC, their Z added below.
_FEATURES = select(
    INCIDENTS.key.label("id"),
    func.ST_AsGeoJSON(INCIDENTS.geometry, DECIMALS, type_=Text).label("geometry"),
    func.ST_AsGeoJSON(INCIDENTS.exact_geometry, DECIMALS, type_=Text).label("exact"),
    *(
        (func.to_json(func.timezone("UTC", known.column)) if known.name in _INSTANTS else known.column).label(
            f"_{known.name}"
        )
        for known in INCIDENTS.fields
    ),
).select_from(INCIDENTS.rows)


def tell(
    connection: Connection,
    *,
    source: str,
    run_id: int,
    at: datetime,
    each: bool,
    released: bool,
) -> None:
    """Bump the layer, and tell of `each` of the incidents that were needed; last before the commit.

    released : the public's product has changed too.
    """
    changed = connection.execute(_CHANGED, {"source": source, "run": run_id}).fetchall() if each else []
    payloads = _payloads(connection, {row["id"]: row["sensitive"] for row in changed})
    events.begin(connection)
    events.bump(connection, LAYER, at)
    if released:
        events.bump(connection, public.LAYER, at)
    if changed:
        told = [payloads[row["id"]] for row in changed]
        events.emit(connection, "incident", LAYER, told, at, [row["area_ids"] for row in changed])


def _payloads(connection: Connection, sensitive: dict[int, bool]) -> dict[int, dict[str, Any]]:
    """All that anybody may learn of each incident, by its id: the server tells each follower its part."""
    asked = Statement.of(_FEATURES.where(INCIDENTS.key == any_(literal(list(sensitive), ARRAY(BigInteger)))))
    return {
        row["id"]: {
            "id": row["id"],
            "sensitive": sensitive[row["id"]],
            "geometry": json.loads(row["geometry"]),
            "exact": json.loads(row["exact"]),
            "properties": {known.name: _plain(known.name, row[f"_{known.name}"]) for known in INCIDENTS.fields},
        }
        for row in connection.execute(asked.sql.encode(), asked.params)
    }


def _plain(name: str, value: Any) -> Any:
    return f"{value}Z" if name in _INSTANTS and value is not None else value

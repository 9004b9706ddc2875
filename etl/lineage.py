"""Where a row comes from: every state it had, the run that brought each, and the file of that run."""

from typing import Any

from etl.load.staging import Connection
from layers.core.errors import BadValue

_INCIDENT = """
with states as (
  select source, source_key, category, occurred_at, run_id, known_from as since, null::timestamptz as until
  from onemap.incident where incident_id = %(id)s
  union all
  select source, source_key, category, occurred_at, run_id, lower(known), upper(known)
  from onemap.incident_history where incident_id = %(id)s
)
select states.source || ' / ' || source_key || ': ' || category || ' at ' || occurred_at as what, since, until,"""
_AREA = """
with states as (
  select source || ' / ' || code || ' ' || name_en as what, area_version.run_id, lower(valid) as since,
    upper(valid) as until
  from onemap.area_version join onemap.area using (area_id) where area_id = %(id)s
)
select what, since, until,"""
_RISK_AREA = """
with states as (
  select source || ' / ' || code || ' ' || name_en as what, risk_area_version.run_id, lower(valid) as since,
    upper(valid) as until
  from onemap.risk_area_version join onemap.risk_area using (risk_area_id) where risk_area_id = %(id)s
)
select what, since, until,"""
_ROAD = """
with states as (
  select source || ' / ' || source_key || ' ' || class as what, run_id, null::timestamptz as since,
    null::timestamptz as until
  from onemap.road where road_id = %(id)s
)
select what, since, until,"""
_PLACE = """
with states as (
  select source || ' / ' || source_key || ' ' || kind as what, run_id, null::timestamptz as since,
    null::timestamptz as until
  from onemap.place where place_id = %(id)s
)
select what, since, until,"""
_RESOURCE = """
with states as (
  select source || ' / ' || code || ' ' || kind as what, resource_version.run_id, lower(valid) as since,
    upper(valid) as until
  from onemap.resource_version join onemap.resource using (resource_id) where resource_id = %(id)s
)
select what, since, until,"""

_SERVICE_LOAD = """
with states as (
  select source || ' / ' || source_key as what, run_id, null::timestamptz as since, null::timestamptz as until
  from onemap.service_load where service_load_id = %(id)s
)
select what, since, until,"""

_RUN = """
  run.run_id, run.via, run.file_name, run.file_sha256, run.started_at
from states join onemap.run using (run_id) order by until desc nulls first, run.run_id desc"""

_STATES = {
    "incidents": _INCIDENT, "areas": _AREA, "risk_areas": _RISK_AREA, "roads": _ROAD, "places": _PLACE,
    "resources": _RESOURCE,
    "service_load": _SERVICE_LOAD,
}  # fmt: skip


def lineage(connection: Connection, name: str) -> list[dict[str, Any]]:
    """The states of one feature, the present one first: what, since, until, run_id, via, file_name ...

    `name` is the id of an incident, or a layer and an id like `areas/12`, as in the address of a feature.

    Raises
    ------
    BadValue : it names no feature, now or earlier.
    """
    layer, _, number = name.rpartition("/")
    statement = _STATES.get(layer or "incidents")
    if statement is None or not number.isdecimal():
        raise BadValue(f"'{name}' is no id like 123 or areas/12; layers are {', '.join(_STATES)}", parameter="id")
    found = connection.execute((statement + _RUN).encode(), {"id": int(number)}).fetchall()
    if not found:
        raise BadValue(f"there is no {name}, and never was", parameter="id")
    return found

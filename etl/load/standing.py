"""The areas that stand in the database, as a file's areas are held against them."""

from datetime import datetime

import pyarrow as pa

from etl.load.staging import Connection

_MOMENT = pa.timestamp("us", "UTC")
_SCHEMA = pa.schema(
    {
        "level_rank": pa.int16(),
        "code": pa.string(),
        "official_code": pa.string(),
        "parent_code": pa.string(),
        "valid_from": _MOMENT,
        "valid_to": _MOMENT,
        "geom": pa.binary(),
    }
)


def standing(connection: Connection, at: datetime) -> pa.Table:
    """Every area that has not ended by `at`, as its latest version says, with the columns that `Tree.of` takes."""
    rows = connection.execute(
        """select distinct on (area.area_id) area.level_rank, area.code, area.official_code,
          above.code as parent_code, lower(valid) as valid_from, upper(valid) as valid_to,
          st_asbinary(geom) as geom
        from onemap.area_version join onemap.area using (area_id)
        left join onemap.area above on above.area_id = area_version.parent_id
        where upper(valid) is null or upper(valid) > %(at)s
        order by area.area_id, lower(valid) desc nulls last""",
        {"at": at},
    ).fetchall()
    return pa.Table.from_pylist(rows, _SCHEMA)

"""Incidents as they are copied: tagged with where they lie, and encoded."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl.binary import jsonb, points, whole
from etl.tag import NOWHERE, Versions, finest_area, zone_mask
from etl.validate.checker import Checked
from layers.geo import hexgrid
from layers.records.desk import LonLat
from layers.records.findings import Mask

_SAMPLED = 1000


def stated(checked: Checked, rows: pa.Array) -> pa.Table:
    """What the good rows say of themselves in short: row_number, source_key, version, deleted, content_hash.

    And category and occurred_at, which a row is recognised by where it contradicts another.
    """
    short = checked.table.select(["source_key", "version", "deleted", "content_hash", "category", "occurred_at"])
    return short.add_column(0, "row_number", rows).filter(pa.array(checked.findings.good))


def tagged(checked: Checked, rows: pa.Array, wanted: Mask, areas: Versions, zones: Versions) -> pa.Table:
    """The `wanted` rows with all their facts: their geometry, their spot, their finest area and their zone mask.

    Returns
    -------
    row_number, source_key and the facts of the incident table, `attributes` in the binary form of jsonb.
    """
    table = checked.table.add_column(0, "row_number", rows).filter(pa.array(wanted))
    lonlat = np.column_stack([table.column("lon"), table.column("lat")])
    places = np.asarray(shapely.points(lonlat))
    at = table.column("occurred_at").to_numpy()
    area = finest_area(places, at, areas)
    added = {
        "area_id": pa.array(area, mask=area == NOWHERE),
        "zones": pa.array(zone_mask(places, at, zones)),
        "spot": points(hexgrid.centre(table.column("cell").to_numpy().astype(np.uint64))),
        "geom": points(lonlat),
        "attributes": jsonb(whole(table.column("attributes"))),
    }
    table = table.drop_columns(["lon", "lat", "deleted", "attributes"])
    for name, column in added.items():
        table = table.append_column(name, column)
    return table


def straight(table: pa.Table, source: str, run_id: int) -> pa.Table:
    """Tagged rows with the columns of the incident table, by place: neighbours share pages of its indexes."""
    table = table.drop_columns(["row_number"]).sort_by("cell")
    return table.append_column("source", pa.repeat(source, len(table))).append_column(
        "run_id", pa.repeat(run_id, len(table))
    )


def unplaced(table: pa.Table) -> int:
    """How many tagged rows lie in no area."""
    count: int = pc.sum(table.column("area_id").is_null()).as_py() or 0
    return count


def sample(checked: Checked) -> LonLat:
    """Some of the good places, spread over the rows: float64[m, 2], lon-lat degrees."""
    places = checked.table.select(["lon", "lat"]).filter(pa.array(checked.findings.good)).drop_null()
    lonlat = np.column_stack([places.column("lon"), places.column("lat")])
    return lonlat[:: max(1, len(lonlat) // _SAMPLED)]

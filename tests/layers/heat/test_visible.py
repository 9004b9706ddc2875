"""How much of a real city's incidents the public's product shows: of Toronto, every third month of its eight years."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from psycopg.types.range import Range

from etl.influence import widen
from layers.catalog.city import City
from layers.geo import hexgrid
from layers.heat import public
from layers.heat.ground import Grounds

FOLDER = Path(__file__).parents[3] / "data" / "toronto"
ALWAYS = Range(None, None)
JANUARY = Range(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def months():
    """Of each month and heat layer: published cells, incidents in them, all incidents; and the share told of `all`."""
    layers = City.load(FOLDER).heat_layers
    areas = gpd.read_file(FOLDER / "areas.geojson")
    risks = pd.read_csv(FOLDER / "risk_areas.csv")
    influence = widen(shapely.points(risks[["lon", "lat"]].to_numpy()), risks["influence_m"].to_numpy(float))
    bit = [layers.index(code) - 1 for code in risks["zone_type"]]
    shapes = [(-1, areas.loc[areas["level"] == "city", "geometry"].iloc[0]), *zip(bit, influence, strict=True)]
    rows = [{"bit": b, "valid": ALWAYS, "shape": shapely.to_wkb(shape)} for b, shape in shapes]
    ground = Grounds(rows, len(layers) - 1, public.FINEST_RES).during(JANUARY)

    frame = pd.read_parquet(FOLDER / "incidents.parquet")
    frame = frame[frame["occurred_at_local"] >= "2014"]
    month = frame["occurred_at_local"].dt.to_period("M")
    frame = frame[month.dt.month % 3 == 1]
    points = shapely.points(frame[["lon", "lat"]].to_numpy())
    zones = np.zeros(len(frame), np.int64)
    for b in range(len(layers) - 1):
        kind = shapely.union_all([shape for at, shape in shapes if at == b])
        shapely.prepare(kind)
        zones |= shapely.intersects(kind, points).astype(np.int64) << b
    cell = hexgrid.index(frame[["lon", "lat"]].to_numpy(), public.FINEST_RES)

    found = []
    for at in frame.groupby(month).indices.values():
        product = public.product(cell[at], zones[at], np.ones(len(at), np.int64), ground)
        all_of = [len(at), *((zones[at] >> b & 1).sum() for b in range(len(layers) - 1))]
        figures = [(each.cell.size, each.count.sum(), n) for each, n in zip(product, all_of, strict=True)]
        rounded = public.Cells(product[0].cell, public.rounded(product[0].count))
        found.append((figures, public.share(rounded, ground.city)))
    return found


def test_99_percent_of_a_month_stay_visible_in_a_hundred_cells_and_more(months):
    assert len(months) == 32
    for figures, _ in months:
        cells, shown, total = figures[0]
        assert cells >= 100
        assert shown >= 0.99 * total


def test_of_each_zone_type_85_percent_stay_visible_over_the_years(months):
    figures = np.array([figures for figures, _ in months])
    shown, total = figures[:, 1:, 1].sum(axis=0), figures[:, 1:, 2].sum(axis=0)
    assert (shown >= 0.85 * total).all(), shown / total


def test_the_share_that_is_told_is_less_than_what_is_shown_and_not_by_much(months):
    for figures, told in months:
        _, shown, total = figures[0]
        assert 97 <= told <= 100 * shown / total

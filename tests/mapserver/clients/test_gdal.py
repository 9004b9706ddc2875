"""GDAL opens the map with no special code: its OAPIF and MVT drivers, in a process that has all of them."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import httpx
import pytest


@pytest.fixture(scope="module")
def gdal(site):
    """Call a function in a process where GDAL carries the site's token."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(sign_in, site.token).result()
        yield lambda function, *given, **named: pool.submit(function, *given, **named).result(timeout=60)


def sign_in(token):
    import pyogrio  # noqa: PLC0415

    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token})


def names(source):
    import pyogrio  # noqa: PLC0415

    return pyogrio.list_layers(source)[:, 0].tolist()


def info(source, layer):
    import pyogrio  # noqa: PLC0415

    return pyogrio.read_info(source, layer=layer)


def read(source, layer=None, **named):
    import pyogrio  # noqa: PLC0415

    return pyogrio.read_dataframe(source, layer=layer, **named)


def test_every_collection_is_a_layer(site, gdal):
    assert set(gdal(names, f"OAPIF:{site.url}")) >= {"areas", "risk_areas", "roads", "places", "incidents"}


@pytest.mark.parametrize(
    ("layer", "table"), [("incidents", "incident"), ("areas", "area"), ("risk_areas", "risk_area")]
)
def test_a_layer_has_the_features_that_sql_counts(site, gdal, layer, table):
    found = gdal(read, f"OAPIF:{site.url}", layer)
    assert len(found) == site.count("true", table) > 0
    assert found.crs.to_epsg() in {4326, None} or found.crs.to_authority() == ("OGC", "CRS84")
    assert found.geometry.is_valid.all()


def test_a_box_is_asked_of_the_server_and_finds_what_sql_does(site, gdal):
    box = (10.02, 50.01, 10.06, 50.04)
    inside = site.count("geom && ST_MakeEnvelope(10.02, 50.01, 10.06, 50.04, 4326)")
    assert len(gdal(read, f"OAPIF:{site.url}", "incidents", bbox=box)) == inside > 0


def test_a_condition_finds_what_sql_does(site, gdal):
    found = gdal(read, f"OAPIF:{site.url}", "incidents", where="category = 'theft' AND origin = 'patrol'")
    assert len(found) == site.count("category = 'theft' and origin = 'patrol'") > 0


def test_gdal_is_told_how_many_there_are_without_reading_them(site, gdal):
    assert gdal(info, f"OAPIF:{site.url}", "incidents")["features"] == site.count("true")


def test_a_tile_is_read_where_it_lies_on_the_map(site, gdal, tmp_path):
    z, x, y = 11, 1081, 694
    tile = httpx.get(
        f"{site.url}/tiles/incidents/{z}/{x}/{y}.mvt", headers={"Authorization": f"Bearer {site.token}"}
    )
    path = tmp_path / "tile.mvt"
    path.write_bytes(tile.content)
    found = gdal(read, f"MVT:{path}", "incidents", Z=z, X=x, Y=y)
    inside = site.count(f"ST_Transform(geom, 3857) && ST_TileEnvelope({z}, {x}, {y})")
    assert found["count"].sum() >= inside > 0  # with those of the tile's margin; some stand for several
    bounds = found.to_crs(4326).total_bounds
    assert 9.9 < bounds[0] < bounds[2] < 10.2
    assert 49.9 < bounds[1] < bounds[3] < 50.2

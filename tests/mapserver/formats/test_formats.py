"""Every format of a selection says what its GeoJSON says."""

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely

from layers.catalog.registry import LAYERS
from layers.geo.crs import BY_URI
from mapserver import exports
from mapserver.formats import packing
from mapserver.formats.registry import FORMATS
from tests.files import read_file

MERCATOR = next(crs for crs in BY_URI.values() if crs.srid == 3857)
LATLON = next(crs for crs in BY_URI.values() if crs.srid == 4326 and crs.north_first)
ASK = "/collections/incidents/items"
SHAPES = {"point": "Point", "line": "MultiLineString", "polygon": "MultiPolygon", "any": "Unknown"}
FEW = {"bbox": "10.02,50.01,10.06,50.04", "sortby": "-occurred_at"}


async def features(client, headers, layer, **ask):
    """What the GeoJSON says, all on one page."""
    answer = await client.get(
        f"/collections/{layer}/items", params=ask | {"limit": 10_000, "f": "geojson"}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["numberReturned"] == found["numberMatched"]
    return found["features"]


async def file(client, headers, layer, name, **ask):
    answer = await client.get(f"/collections/{layer}/items", params=ask | {"f": name}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{layer}.{name}"'
    assert answer.headers["cache-control"].startswith("private") == (headers is not None)
    return answer


def told(value):
    """A value as JSON tells it."""
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat()
        return f"{text.rstrip('0') if '.' in text else text}Z"
    return value


def check(rows, expected, columns, precise_m=1e-6):
    assert [row["id"] for row in rows] == [feature["id"] for feature in expected]
    for row, feature in zip(rows, expected, strict=True):
        assert {name: told(row[name]) for name in columns if name != "attributes"} == {
            name: value for name, value in feature["properties"].items() if name != "attributes"
        }
        if "attributes" in columns:
            assert json.loads(row["attributes"]) == feature["properties"]["attributes"]
        ours, theirs = shapely.from_wkb(row["geometry"]), shapely.geometry.shape(feature["geometry"])
        assert ours.geom_type == theirs.geom_type
        np.testing.assert_allclose(shapely.get_coordinates(ours), shapely.get_coordinates(theirs), atol=precise_m)


@pytest.mark.parametrize("layer", LAYERS)
async def test_flatgeobuf_read_by_gdal_has_the_features_and_their_types(client, dispatcher, tmp_path, layer):
    path = tmp_path / "it.fgb"
    path.write_bytes((await file(client, dispatcher, layer, "fgb")).content)
    read = read_file(path)
    expected = await features(client, dispatcher, layer)
    assert len(read.rows) == len(expected) > 0
    check(read.rows, expected, expected[0]["properties"])
    assert read.crs == "EPSG:4326"
    assert read.shape == SHAPES[LAYERS[layer].shape]
    assert read.types["id"] == "int64"
    if layer == "incidents":
        assert read.types["occurred_at"].startswith("timestamp")
        assert read.types["severity"] == "int32"


@pytest.mark.parametrize("layer", LAYERS)
async def test_geoparquet_has_the_features_and_says_where_they_are(client, dispatcher, layer):
    content = (await file(client, dispatcher, layer, "parquet")).content
    table = pq.ParquetFile(io.BytesIO(content))
    expected = await features(client, dispatcher, layer)
    assert table.metadata.num_rows == len(expected)
    check(table.read().to_pylist(), expected, expected[0]["properties"])
    geo = json.loads(table.metadata.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    about = geo["columns"]["geometry"]
    shapes = [shapely.geometry.shape(each["geometry"]) for each in expected]
    assert about["geometry_types"] == sorted({shape.geom_type for shape in shapes})
    np.testing.assert_allclose(about["bbox"], shapely.total_bounds(shapes), atol=1e-6)
    assert "crs" not in about
    if layer == "incidents":
        types = {field.name: str(field.type) for field in table.schema_arrow}
        assert (types["id"], types["severity"]) == ("int64", "int32")
        assert types["occurred_at"] == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize("layer", LAYERS)
async def test_geojsonseq_has_the_features_of_the_geojson_one_a_line(client, dispatcher, tmp_path, layer):
    answer = await file(client, dispatcher, layer, "geojsonseq")
    assert answer.headers["content-type"] == "application/geo+json-seq"
    lines = answer.content.splitlines()
    assert all(line.startswith(b"\x1e") for line in lines)
    expected = await features(client, dispatcher, layer)
    assert [json.loads(line[1:]) for line in lines] == expected
    path = tmp_path / "it.geojsons"
    path.write_bytes(answer.content)
    assert len(read_file(path).rows) == len(expected)


@pytest.mark.parametrize("layer", LAYERS)
async def test_csv_has_the_features_with_wkt_and_no_formulas(client, dispatcher, layer):
    answer = await file(client, dispatcher, layer, "csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    expected = await features(client, dispatcher, layer)
    assert len(rows) == len(expected)
    for row, feature in zip(rows, expected, strict=True):
        assert int(row["id"]) == feature["id"]
        assert shapely.equals(shapely.from_wkt(row["geometry"]), shapely.geometry.shape(feature["geometry"]))
        for name, value in feature["properties"].items():
            if name == "attributes":
                assert json.loads(row[name]) == value
            elif isinstance(value, bool | None):
                assert row[name] == ("" if value is None else str(value).lower())
            elif isinstance(value, str):
                assert row[name] == (f"'{value}" if value[:1] in ("=", "-") else value)
            else:
                # JSON writes a whole number of metres as 500, a file as 500.0.
                assert Decimal(row[name]) == Decimal(repr(value))


@pytest.mark.parametrize("name", exports.FORMATS)
async def test_a_file_is_sorted_filtered_cut_to_its_properties_and_in_the_system_asked_for(
    client, dispatcher, tmp_path, name
):
    ask = FEW | {"filter": "category='theft'", "properties": "severity,category", "crs": MERCATOR.uri}
    answer = await file(client, dispatcher, "incidents", name, **ask)
    assert answer.headers["content-crs"] == f"<{MERCATOR.uri}>"
    expected = await features(client, dispatcher, "incidents", **ask)
    assert 0 < len(expected) < 400
    path = tmp_path / f"it.{name}"
    path.write_bytes(answer.content)
    if name == "parquet":
        rows = pq.read_table(path).to_pylist()
        about = json.loads(pq.ParquetFile(path).metadata.metadata[b"geo"])["columns"]["geometry"]
        assert pyproj.CRS.from_json_dict(about["crs"]) == pyproj.CRS.from_epsg(3857)
    elif name == "fgb":
        read = read_file(path)
        rows = read.rows
        assert read.crs == "EPSG:3857"
    elif name == "csv":
        rows = [
            row
            | {
                "id": int(row["id"]),
                "severity": int(row["severity"]),
                "geometry": shapely.from_wkt(row["geometry"]).wkb,
            }
            for row in csv.DictReader(io.StringIO(answer.text))
        ]
    else:
        lines = [json.loads(line[1:]) for line in answer.content.splitlines()]
        rows = [
            {"id": each["id"], "geometry": shapely.geometry.shape(each["geometry"]).wkb, **each["properties"]}
            for each in lines
        ]
    assert set(rows[0]) == {"id", "severity", "category", "geometry"}
    check(rows, expected, expected[0]["properties"], precise_m=0.011)


async def test_texts_have_the_axes_of_their_system_and_files_have_x_to_the_east(client, dispatcher, tmp_path):
    ask = {"limit": 1, "crs": LATLON.uri}
    x, y = (await features(client, dispatcher, "incidents", bbox="10.02,50.01,10.06,50.04"))[0]["geometry"][
        "coordinates"
    ]
    ask = ask | {"bbox": "10.02,50.01,10.06,50.04"}
    text = (await file(client, dispatcher, "incidents", "csv", **ask)).text
    assert next(csv.DictReader(io.StringIO(text)))["geometry"] == f"POINT({y} {x})"
    path = tmp_path / "it.fgb"
    path.write_bytes((await file(client, dispatcher, "incidents", "fgb", **ask)).content)
    point = shapely.from_wkb(read_file(path).rows[0]["geometry"])
    np.testing.assert_allclose([point.x, point.y], [x, y], atol=1e-6)


@pytest.mark.parametrize("name", exports.FORMATS)
async def test_a_limit_makes_pages_of_a_file_that_lead_through_all_features_once(
    client, dispatcher, tmp_path, name
):
    expected = [each["id"] for each in await features(client, dispatcher, "incidents", **FEW)]
    seen, url, params = [], ASK, FEW | {"limit": len(expected) // 2 + 1, "f": name}
    path = tmp_path / f"it.{name}"
    while url:
        answer = await client.get(url, params=params, headers=dispatcher)
        path.write_bytes(answer.content)
        if name == "csv":
            seen += [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.text))]
        elif name == "geojsonseq":
            seen += [json.loads(line[1:])["id"] for line in answer.content.splitlines()]
        else:
            seen += [
                row["id"]
                for row in (pq.read_table(path).to_pylist() if name == "parquet" else read_file(path).rows)
            ]
        url, params = answer.links.get("next", {}).get("url"), None
    assert seen == expected


@pytest.mark.parametrize("name", exports.FORMATS)
async def test_a_file_of_nothing_is_a_file(client, dispatcher, tmp_path, name):
    content = (await file(client, dispatcher, "incidents", name, bbox="1,1,2,2")).content
    path = tmp_path / f"it.{name}"
    path.write_bytes(content)
    match name:
        case "csv":
            assert content.startswith(b"id,category,")
            assert content.count(b"\n") == 1
        case "geojsonseq":
            assert content == b""
        case "parquet":
            assert pq.read_table(path).num_rows == 0
        case "fgb":
            assert read_file(path).rows == []


@pytest.mark.parametrize(("name", "coding"), [("csv", "gzip"), ("fgb", "gzip"), ("parquet", None)])
async def test_what_is_compressed_inside_is_not_compressed_again(client, dispatcher, name, coding):
    headers = dispatcher | {"Accept-Encoding": "gzip"}
    answer = await client.get(ASK, params={"f": name}, headers=headers)
    assert (answer.status_code, answer.headers.get("content-encoding")) == (200, coding)


async def test_an_audience_gets_the_columns_and_the_places_that_it_may_read(client, room):
    table = pq.read_table(io.BytesIO((await file(client, room, "incidents", "parquet")).content))
    assert "attributes" not in table.column_names
    expected = await features(client, room, "incidents")
    check(table.to_pylist(), expected, expected[0]["properties"])
    assert (await client.get(ASK, params={"f": "parquet"})).status_code == 403
    assert (await file(client, None, "areas", "csv")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", exports.FORMATS)
async def test_more_features_than_one_file_holds_are_refused_and_pages_are_not(
    client, dispatcher, monkeypatch, name
):
    monkeypatch.setattr(exports, "MOST", 1000)
    answer = await client.get(ASK, params={"f": name}, headers=dispatcher)
    assert (answer.status_code, answer.json()["parameter"], answer.json()["most"]) == (400, "limit", 1000)
    assert (await client.get(ASK, params={"f": name, "limit": 5}, headers=dispatcher)).status_code == 200


@pytest.mark.parametrize("name", ["fgb", "parquet"])
async def test_a_file_that_cannot_be_packed_is_a_problem(client, dispatcher, monkeypatch, name):
    monkeypatch.setattr(packing.sys, "executable", "/bin/false")
    answer = await client.get(ASK, params={"f": name}, headers=dispatcher)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:onemap:unavailable")


async def test_a_collection_and_its_pages_lead_to_every_format(client):
    about = (await client.get("/collections/areas")).json()
    page = (await client.get("/collections/areas/items?limit=1")).json()
    for links, rel in ((about["links"], "items"), (page["links"], "alternate")):
        types = {link["type"]: link["href"] for link in links if link["rel"] == rel}
        for form in exports.FORMATS.values():
            answer = await client.get(types[form.media_type])
            assert answer.headers["content-type"] == form.media_type
            assert "limit" not in types[form.media_type]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("limit", [None, 5])
async def test_the_head_of_a_file_is_told_without_making_any_of_it(client, dispatcher, monkeypatch, name, limit):
    ask = {"f": name} | ({} if limit is None else {"limit": limit})
    got = await client.get(ASK, params=ask, headers=dispatcher)

    async def made(*_):
        raise AssertionError("something was made")
        yield b""

    monkeypatch.setitem(FORMATS, name, replace(FORMATS[name], write=made))
    head = await client.head(ASK, params=ask, headers=dispatcher)
    assert (head.status_code, head.content) == (200, b"")
    unlike = {"transfer-encoding", "content-encoding"}
    assert {k: v for k, v in head.headers.items() if k not in unlike} == {
        k: v for k, v in got.headers.items() if k not in unlike
    }

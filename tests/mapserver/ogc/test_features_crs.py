"""OGC API Features 2: coordinate reference systems by URI."""

import numpy as np
import pytest
from pyproj import Transformer

from layers.geo import crs
from tests.mapserver.ogc.conftest import links

CLASSES = ("ogcapi-features-2/1.0/conf/crs",)

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0"
ITEMS = "/collections/incidents/items"
HERE = [CRS84, f"{EPSG}/4326", f"{EPSG}/3857", f"{EPSG}/4490"]  # 4547 is a plane of China, and the toy city is not


async def page(api, **query):
    answer = await api.get(ITEMS, params={key.replace("_", "-"): value for key, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer


def spots(answer):
    return np.array([feature["geometry"]["coordinates"] for feature in answer.json()["features"]])


async def test_crs_uri_and_storage_crs(api):
    for collection in (await api.get("/collections")).json()["collections"]:
        assert collection["crs"][0] == CRS84
        assert collection["storageCrs"] in collection["crs"]
        assert set(HERE) <= set(collection["crs"])


async def test_default_crs(api):
    default, named = await page(api), await page(api, crs=CRS84)
    assert default.headers["content-crs"] == named.headers["content-crs"] == f"<{CRS84}>"
    assert spots(default).tolist() == spots(named).tolist()


@pytest.mark.parametrize("uri", HERE)
async def test_crs_parameter_and_transform(api, uri):
    plain, answer = await page(api, limit=50), await page(api, limit=50, crs=uri)
    assert answer.headers["content-crs"] == f"<{uri}>"
    authority = "OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.rpartition('/')[2]}"
    wanted = Transformer.from_crs("OGC:CRS84", authority).transform(
        *spots(plain).T
    )  # in the axis order of the system
    near = 0.02 if uri.endswith("3857") else 2e-6
    np.testing.assert_allclose(spots(answer), np.column_stack(wanted), atol=near + (0.2 if near > 0.01 else 0))
    first = plain.json()["features"][0]["id"]
    one = await api.get(f"{ITEMS}/{first}", params={"crs": uri})
    assert (one.headers["content-crs"], one.json()["geometry"]["coordinates"]) == (
        f"<{uri}>",
        spots(answer)[0].tolist(),
    )


async def test_crs_parameter_invalid(api):
    for path in (ITEMS, f"{ITEMS}/1"):
        for bad in (f"{EPSG}/2056", "EPSG:4326", "", f"{EPSG}/4326 "):
            answer = await api.get(path, params={"crs": bad})
            assert (answer.status_code, answer.json()["parameter"]) == (400, "crs"), bad


async def test_bbox_crs_parameter(api):
    plain = await page(api, bbox="10.02,50.01,10.06,50.04", limit=10_000)
    boxes = {
        CRS84: "10.02,50.01,10.06,50.04",
        f"{EPSG}/4326": "50.01,10.02,50.04,10.06",
        f"{EPSG}/3857": ",".join(
            str(edge) for at in ((10.02, 50.01), (10.06, 50.04))
            for edge in Transformer.from_crs("OGC:CRS84", "EPSG:3857").transform(*at)
        ),
    }  # fmt: skip
    for uri, box in boxes.items():
        found = await page(api, bbox=box, bbox_crs=uri, limit=10_000)
        assert [each["id"] for each in found.json()["features"]] == [
            each["id"] for each in plain.json()["features"]
        ]
        assert found.headers["content-crs"] == f"<{CRS84}>"


async def test_bbox_crs_parameter_default_and_invalid(api):
    box = "10.02,50.01,10.06,50.04"
    default, named = await page(api, bbox=box), await page(api, bbox=box, bbox_crs=CRS84)
    assert default.json()["features"] == named.json()["features"]
    answer = await api.get(ITEMS, params={"bbox": box, "bbox-crs": f"{EPSG}/2056"})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "bbox-crs")


@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
async def test_a_system_that_does_not_hold_where_the_city_is_is_not_taken(api, parameter, monkeypatch):
    monkeypatch.setattr(crs, "offered", lambda _: (crs.CRS84,))
    assert (await api.get(ITEMS, params={parameter: CRS84, "limit": 1})).status_code == 200
    answer = await api.get(ITEMS, params={parameter: f"{EPSG}/3857", "limit": 1})
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


async def test_a_system_stays_from_page_to_page(api):
    first = await page(api, limit=5, crs=f"{EPSG}/3857")
    (further,) = links(first.json(), "next")
    second = await api.get(further["href"].removeprefix("http://map.test"))
    assert second.headers["content-crs"] == f"<{EPSG}/3857>"
    assert (spots(second) > 1e6).all()
